"""A pace on demand: KIND_STANDIN_PACE has the seconds that things take at least: `create=16,ready=30,load=6`.

    create  `kind create cluster`, from its begin
    ready   the nodes become Ready that long after its begin, whatever else has ended before
    load    `kind load`

For benchmarks alone: with durations that are fixed, a ratio shows how work is arranged, and nothing else.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from kind_standin import docker

KNOWN = ("create", "ready", "load")
_NOT_READY = {
    "type": "Ready",
    "status": "False",
    "reason": "KubeletNotReady",
    "message": "container runtime network not ready: cni plugin not initialized",
}


def seconds(what: str) -> float:
    """Return how long that is to take, 0.0 if nobody asked; ValueError for what is no pace."""
    pairs = (pair.partition("=") for pair in os.environ.get("KIND_STANDIN_PACE", "").split(",") if pair)
    wanted = {name: float(value) for name, _, value in pairs}
    if unknown := sorted(set(wanted) - set(KNOWN)):
        raise ValueError(f"KIND_STANDIN_PACE: unknown {', '.join(unknown)}; known: {', '.join(KNOWN)}")
    return wanted.get(what, 0.0)


@contextmanager
def kept(what: str) -> Iterator[float]:
    """Let the body take that long, if it took less; yields when it began, by time.monotonic."""
    began, least = time.monotonic(), seconds(what)
    yield began
    time.sleep(max(began + least - time.monotonic(), 0.0))


def hold_back(node: str, names: list[str], began: float) -> None:
    """Stop the nodes' kubelets, say that they are not Ready, and have them started when it is time."""
    left = began + seconds("ready") - time.monotonic()
    if left <= 0:
        return
    embedded = (sys.executable, "-m", "kubetour.embedded")
    status = json.dumps({"status": {"conditions": [_NOT_READY]}})
    for name in names:
        docker.on_node(node, *embedded, "stop", "node", name)
        patch = ("kubectl", "patch", "node", name, "--subresource=status", "--type=strategic", "-p", status)
        docker.on_node(node, *patch)
    start = " && ".join(" ".join((*embedded, "start", "node", name)) for name in names)
    left = max(began + seconds("ready") - time.monotonic(), 0.0)
    docker.run("exec", "-d", node, "sh", "-c", f"sleep {left:.3f}; {start}")
