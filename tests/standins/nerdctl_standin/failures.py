"""Failures on demand: NERDCTL_STANDIN_FAIL holds one or more of these words, with commas between.

    daemon      containerd does not run
    rootless    nor does the rootless one
    permission  its socket is not yours
    buildkit    buildkitd does not run: only `build` fails
    space       no space is left: `build` and `save` fail

The texts are nerdctl's own.
"""

from __future__ import annotations

import os

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
KNOWN = {**ALWAYS, **BUILD}


def asked(command: str) -> str:
    """Return the message with which a command shall fail, or ""; ValueError for an unknown word."""
    words = [word for word in os.environ.get("NERDCTL_STANDIN_FAIL", "").split(",") if word]
    if unknown := sorted(set(words) - set(KNOWN)):
        raise ValueError(f"NERDCTL_STANDIN_FAIL: unknown {', '.join(unknown)}; known: {', '.join(KNOWN)}")
    for word in words:
        if word in ALWAYS or command == "build" or (word == "space" and command == "image save"):
            return KNOWN[word]
    return ""
