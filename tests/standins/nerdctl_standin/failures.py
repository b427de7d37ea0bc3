"""Failures on demand: NERDCTL_STANDIN_FAIL holds one or more of these words, with commas between.

    daemon      containerd does not run
    rootless    nor does the rootless one
    permission  its socket is not yours
    gone        containerd ends once the image is built: all else fails but `version` and `info`
    slow        `build` pulls for ever, until it is interrupted
    buildkit    buildkitd does not run: only `build` fails
    digest      the image's archive cannot be written: a part for another platform is missing
    space       no space is left: `build` and `save` fail

The texts are nerdctl's own.
"""

from __future__ import annotations

import os
import signal
import sys

SOCKET = '"/run/containerd/containerd.sock"'
ALWAYS = {
    "daemon": f"cannot access containerd socket {SOCKET}: no such file or directory",
    "rootless": "rootless containerd not running? (hint: use `containerd-rootless-setuptool.sh install` to "
    "start rootless containerd): stat /run/user/1000/containerd-rootless: no such file or directory",
    "permission": f"cannot access containerd socket {SOCKET}: permission denied",
}
BUILD = {
    "buildkit": "`buildctl` needs to be installed and `buildkitd` needs to be running, see "
    "https://github.com/moby/buildkit",
    "space": "write /var/lib/containerd/io.containerd.content.v1.content/ingest: no space left on device",
}
# https://github.com/containerd/nerdctl/issues/1473
DIGEST = f"failed to get reader: content digest sha256:{'6457d53fb065d6f2' * 4}: not found"
KNOWN = {**ALWAYS, **BUILD, "gone": ALWAYS["daemon"], "digest": DIGEST, "slow": ""}
BEFORE_GONE = ("version", "info", "build")


def asked(command: str) -> str:
    """Return the message with which a command shall fail, or ""; ValueError for an unknown word."""
    words = [word for word in os.environ.get("NERDCTL_STANDIN_FAIL", "").split(",") if word]
    if unknown := sorted(set(words) - set(KNOWN)):
        raise ValueError(f"NERDCTL_STANDIN_FAIL: unknown {', '.join(unknown)}; known: {', '.join(KNOWN)}")
    for word in words:
        if word in ALWAYS or (word in BUILD and command == "build"):
            return KNOWN[word]
        if word in ("space", "digest") and command == "image save":
            return KNOWN[word]
        if word == "gone" and command not in BEFORE_GONE:
            return KNOWN[word]
        if word == "slow" and command == "build":
            print("#2 [internal] load metadata for docker.io/library/node:24-alpine", file=sys.stderr)
            signal.pause()
    return ""
