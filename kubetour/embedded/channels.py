"""Streams multiplexed over a WebSocket: the first byte of a message is its channel. exec and attach speak it.

k8s.io/apimachinery/pkg/util/remotecommand; v5 adds closing one channel alone (KEP-4006).
"""

from __future__ import annotations

import json
from typing import Any

STDIN, STDOUT, STDERR, ERROR, RESIZE = range(5)
CLOSE = 255  # of v5: the second byte names the channel that has ended
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")


def message(channel: int, data: bytes) -> bytes:
    """Return the message that carries data on a channel."""
    return bytes((channel,)) + data


def success() -> bytes:
    """Return the message that ends the streams well."""
    return message(ERROR, json.dumps({"metadata": {}, "status": "Success"}).encode())


def exited(code: int) -> bytes:
    """Return the message that ends the streams with a program's exit status."""
    if code == 0:
        return success()
    return _failure(
        "NonZeroExitCode",
        f"command terminated with non-zero exit code: exit status {code}",
        {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    )


def internal_error(text: str) -> bytes:
    """Return the message that ends the streams because of a trouble of the kubelet's."""
    details = {"causes": [{"message": text}]}
    return _failure("InternalError", f"Internal error occurred: {text}", details, code=500)


def _failure(reason: str, text: str, details: dict[str, Any], **more: Any) -> bytes:
    status = {"metadata": {}, "status": "Failure", "message": text, "reason": reason, "details": details}
    return message(ERROR, json.dumps({**status, **more}).encode())
