"""What the benchmarks of the embedded cluster share: a cluster of their own, requests to it, its process."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import ssl
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from kubetour.embedded.testing import EmbeddedCluster, Server

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
PODS = "/api/v1/namespaces/default/pods"
_TICKS = os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def running(nodes: int = 1, runtime: str = "processes") -> Iterator[EmbeddedCluster]:
    """Give a new cluster, and remove it."""
    with tempfile.TemporaryDirectory(prefix="bench") as root:
        server = Server(Path(root), nodes=nodes, runtime=runtime)
        try:
            with server.lend() as cluster:
                yield cluster
        finally:
            server.close()


class Client:
    """One connection to a cluster's API, kept alive."""

    def __init__(self, server: Server) -> None:
        context = ssl.create_default_context(cafile=str(server.authority))
        self._connection = http.client.HTTPSConnection(
            "127.0.0.1", server.record.port, context=context, timeout=120
        )
        self._headers = {"Authorization": f"Bearer {server.record.token}"}

    def send(
        self, method: str, path: str, body: bytes | None = None, kind: str = "application/json"
    ) -> bytes:
        """Return the body of an answer; RuntimeError for one that is no success."""
        self._connection.request(method, path, body, {**self._headers, "Content-Type": kind})
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return content

    def json(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        """As `send`, in JSON."""
        return json.loads(self.send(method, path, json.dumps(body).encode() if body else None, kind))

    def lines(self, path: str) -> Iterator[Any]:
        """Yield the events of a watch; close the client to end it."""
        self._connection.request("GET", path, None, self._headers)
        answer = self._connection.getresponse()
        while line := answer.readline():
            yield json.loads(line)

    def drain(self, path: str) -> None:
        """Read a watch to its end and look at nothing, as what is measured is not this process."""
        self._connection.request("GET", path, None, self._headers)
        answer = self._connection.getresponse()
        while answer.read1(1 << 20):
            pass

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def deployment(name: str, replicas: int, image: str, port: int = 0) -> dict[str, Any]:
    """Return a Deployment; with a port it has a readiness probe there."""
    container: dict[str, Any] = {"name": "app", "image": image, "imagePullPolicy": "IfNotPresent"}
    if port:
        container["ports"] = [{"containerPort": port}]
        container["readinessProbe"] = {"tcpSocket": {"port": port}, "periodSeconds": 1}
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def unscheduled(name: str, **labels: str) -> dict[str, Any]:
    """Return a Pod that no scheduler looks after, so that all there is to it is the API."""
    containers = [{"name": "app", "image": "nginx"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {"schedulerName": "nobody", "containers": containers},
    }


def until_available(client: Client, name: str, count: int, watcher: Client) -> float:
    """Return when that many Pods of a Deployment were available, as a watch tells it."""
    found = client.json("GET", f"{DEPLOYMENTS}/{name}")
    if found["status"].get("availableReplicas", 0) == count:
        return time.monotonic()
    version = found["metadata"]["resourceVersion"]
    query = f"watch=1&fieldSelector=metadata.name%3D{name}&resourceVersion={version}&timeoutSeconds=600"
    for event in watcher.lines(f"{DEPLOYMENTS}?{query}"):
        if event["object"].get("status", {}).get("availableReplicas", 0) == count:
            return time.monotonic()
    raise RuntimeError(f"the Deployment {name} never had {count} available Pods")


def cpu_seconds(pid: int) -> float:
    """Return the CPU time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process in MB (of 10^6 bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"process {pid} tells no memory")


def with_children(pid: int) -> list[int]:
    """Return a process and those that it has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    return [pid, *map(int, children.split())]


def process_of(cluster: EmbeddedCluster) -> int:
    """Return the ID of a cluster's process."""
    found = cluster.server.directory.server()
    if found is None:
        raise RuntimeError("the cluster has ended")
    return found.pid


def timed(call: Callable[[], object]) -> float:
    """Return the seconds that a call took."""
    began = time.monotonic()
    call()
    return time.monotonic() - began


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Return median, and least and greatest, as two cells of a table."""
    return f"{statistics.median(values):.{digits}f} | {min(values):.{digits}f}–{max(values):.{digits}f}"
