"""`stop node` and `start node`: what stopping and starting a node's container is with kind."""

from __future__ import annotations

import os
import signal
import time
from argparse import Namespace
from collections.abc import Sequence

from kubetour.embedded.clusterconfig import FAKE
from kubetour.embedded.clusterstate import ClusterDirectory, all_clusters
from kubetour.embedded.errors import EmbeddedError

_TICK = 0.02
_PATIENCE = 15.0  # seconds for a node to end its containers


def cluster_of(node: str) -> ClusterDirectory:
    """Return the running cluster that has a node; EmbeddedError if none has."""
    for directory in all_clusters():
        if directory.server() and any(each["name"] == node for each in directory.running().nodes):
            return directory
    raise EmbeddedError(f"no such node: {node}; `get nodes --name CLUSTER` lists them")


def _with_kubelets(node: str) -> ClusterDirectory:
    directory = cluster_of(node)
    if directory.load().runtime == FAKE:
        raise EmbeddedError(f"{node} only pretends (--runtime fake): it can be neither stopped nor started")
    return directory


def stop(names: Sequence[str]) -> int:
    """Stop nodes: their kubelets fall silent, and their containers end."""
    for name in names:
        directory = _with_kubelets(name)
        directory.stopped_mark(name).touch()
        _wait(directory, name, there=False)
        print(name)
    return 0


def start(arguments: Namespace) -> int:
    """Start nodes that were stopped, with the containers they had; one that runs is left alone."""
    for name in arguments.nodes:
        directory = _with_kubelets(name)
        directory.stopped_mark(name).unlink(missing_ok=True)
        _wait(directory, name, there=True)
        print(name)
    return 0


def _wait(directory: ClusterDirectory, node: str, *, there: bool) -> None:
    """Tell the server to look at the marks, and wait until the node's kubelet is there, or no longer."""
    deadline = time.monotonic() + _PATIENCE
    socket = directory.kubelet_socket(node)
    server = directory.server()
    if server:
        os.kill(server.pid, signal.SIGUSR1)
    while socket.exists() != there:
        if directory.server() is None:
            raise EmbeddedError(f"the embedded cluster {directory.name!r} ended meanwhile")
        if time.monotonic() > deadline:
            raise EmbeddedError(
                f"{node} did not follow within {_PATIENCE:g}s; see {directory.path}/server.log"
            )
        time.sleep(_TICK)
