"""Kubelets that only pretend (`--runtime fake`): one controller plays all nodes of a cluster, as kwok does.

A Pod is Running and Ready as soon as it is bound, and gone as soon as it is deleted. No process runs, so one
machine has room for a thousand nodes and ten thousand Pods. Nothing answers at their addresses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from kubetour.embedded import reference
from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.clock import Clock, rfc3339, rfc3339_micro
from kubetour.embedded.clusterconfig import FAKE
from kubetour.embedded.controller import Controller, Informers, Key, key_of
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.kubelet_node import (
    Machine,
    NodeConfig,
    lease_object,
    node_object,
    node_status,
    this_machine,
)
from kubetour.embedded.pod_status import ContainerView, Ended, PodView, is_sidecar, status
from kubetour.embedded.podutil import is_terminal

_RENEW_EVERY = 20.0  # seconds, half of what a lease lasts
_MOST_NODES = 65536
_SLICES = 20  # the leases of so many nodes each are renewed together, for a steady load
_CPUS, _MEMORY_KIB, _DISK_KIB = 32, 256 * 1024**2, 1024**3  # what kwok's nodes have
# No colon in it: kubectl would read it as YAML, as a Status without a message, and say nothing.
_NO_PROCESS = (
    "the runtime of this cluster is fake, so no process runs in its containers, and there is nothing to "
    "run a command in, to attach or to forward to"
)


def fake_nodes(nodes: Sequence[Mapping[str, Any]], socket: str) -> list[NodeConfig]:
    """Return what is fixed of each node, by its record; `socket` is where the kubelet of all listens.

    Their addresses are of 240.0.0.0/4, which is reserved and belongs to no machine.
    EmbeddedError for too many nodes.
    """
    if len(nodes) > _MOST_NODES:
        raise EmbeddedError(f"a cluster has room for {_MOST_NODES} nodes, and this would be {len(nodes)}")
    workers = any(node["role"] == "worker" for node in nodes)
    return [
        NodeConfig(
            name=node["name"],
            role=node["role"],
            address=f"240.0.{index >> 8}.{index & 255}",
            pod_cidr=f"241.{index >> 8}.{index & 255}.0/24",
            socket=socket,
            labels=node["labels"],
            schedulable=not workers,
            runtime=FAKE,
        )
        for index, node in enumerate(nodes)
    ]


class _Addresses:
    """The addresses of one node's Pods: which hosts of its range are taken."""

    def __init__(self, config: NodeConfig) -> None:
        self.node = config
        self._prefix = config.pod_cidr.removesuffix("0/24")
        self._taken: dict[str, str] = {}
        self._last = 1

    def take(self, uid: str, address: str = "") -> str:
        """Return a Pod's address: the one given, else a new one; EmbeddedError where none is left."""
        if not address:
            for step in range(1, 254):
                host = 2 + (self._last - 2 + step) % 253
                address = f"{self._prefix}{host}"
                if address not in self._taken:
                    self._last = host
                    break
            else:
                raise EmbeddedError(f"all Pod addresses of node {self.node.name} are in use")
        self._taken[address] = uid
        return address

    def release(self, uid: str, address: str) -> None:
        """Take an address back."""
        if self._taken.get(address) == uid:
            del self._taken[address]


class FakeKubelets(Controller[Key]):
    """The kubelets of all nodes. `run` and `beat` work until cancelled; `start` and `stop` their server."""

    def __init__(
        self, api: Informers, clock: Clock, nodes: Sequence[NodeConfig], directory: Path, version: str
    ) -> None:
        super().__init__(api, clock)
        self._nodes = {config.name: _Addresses(config) for config in nodes}
        self._machine, self._version = _machine(directory), version
        self._server = _Server(Path(nodes[0].socket))
        self._pods = self.follow("pods", self._pod_changed)

    async def start(self) -> None:
        """Answer for logs and the like, and register the nodes that are not there yet."""
        await self._server.start()
        known = {node["metadata"]["name"] for node in self.api.list("nodes").items}
        now = rfc3339(self.clock.now())
        for name, addresses in self._nodes.items():
            if name not in known:
                new = node_object(addresses.node)
                new["status"] = node_status(addresses.node, self._machine, self._version, [], now, {})
                self.api.create("nodes", new)

    async def stop(self) -> None:
        """Close the server."""
        await self._server.stop()

    async def beat(self) -> None:
        """Renew the leases, the nodes in turn."""
        names = list(self._nodes)
        while True:
            for first in range(_SLICES):
                for name in names[first::_SLICES]:
                    self._renew(self._nodes[name].node)
                await self.clock.sleep(_RENEW_EVERY / _SLICES)

    def _renew(self, config: NodeConfig) -> None:
        now = rfc3339_micro(self.clock.now())
        try:
            self.api.patch("leases", config.name, {"spec": {"renewTime": now}}, "kube-node-lease")
        except StatusError as error:
            if error.code != 404:
                raise
            try:
                node = self.api.get("nodes", config.name)
            except StatusError:
                return  # somebody deleted the node: it is not made again
            self.api.create("leases", lease_object(config, node, now), "kube-node-lease")

    # --- Pods

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        pod = new or old or {}
        addresses = self._nodes.get(pod["spec"].get("nodeName", ""))
        if addresses is None:
            return
        uid, address = pod["metadata"]["uid"], (pod.get("status") or {}).get("podIP", "")
        if new is None:
            addresses.release(uid, address)
            return
        if address and old is None:
            addresses.take(uid, address)
        if "deletionTimestamp" in new["metadata"] or _pending(new) or new["spec"].get("readinessGates"):
            self.queue.add(key_of(new))

    def sync(self, key: Key) -> None:
        """Let one Pod be what it is to be: running, or gone."""
        pod = self._pods.get(*key)
        if pod is None or pod["spec"].get("nodeName") not in self._nodes:
            return
        metadata = pod["metadata"]
        if "deletionTimestamp" in metadata:
            self.api.delete("pods", key.name, key.namespace, uid=metadata["uid"], grace_period_seconds=0)
            return
        if is_terminal(pod):
            return
        old = pod.get("status") or {}
        addresses = self._nodes[pod["spec"]["nodeName"]]
        address = old.get("podIP") or self._address(pod, addresses)
        now = rfc3339(self.clock.now())
        new = status(pod, pod_view(pod, addresses.node.address, address, now), now)
        if new != old:
            change = {**dict.fromkeys(old.keys() - new.keys()), **new}
            patch = {"metadata": {"uid": metadata["uid"]}, "status": change}
            self.api.patch("pods", key.name, patch, key.namespace, subresource="status")

    @staticmethod
    def _address(pod: Object, addresses: _Addresses) -> str:
        if pod["spec"].get("hostNetwork"):
            return addresses.node.address
        return addresses.take(pod["metadata"]["uid"])


def _pending(pod: Object) -> bool:
    return bool((pod.get("status") or {}).get("phase", "Pending") == "Pending")


def pod_view(pod: Object, node_address: str, address: str, now: str) -> PodView:
    """Return a Pod whose init containers have ended well and whose containers run since `now`."""
    uid, spec = pod["metadata"]["uid"], pod["spec"]
    return PodView(
        init={
            container["name"]: _running(uid, container, now)
            if is_sidecar(container)
            else _completed(uid, container, now)
            for container in spec.get("initContainers") or []
        },
        containers={container["name"]: _running(uid, container, now) for container in spec["containers"]},
        host_ip=node_address,
        pod_ip=address,
    )


def _running(uid: str, container: Object, now: str) -> ContainerView:
    return ContainerView(
        waiting="",
        running_since=now,
        container_id=f"{uid}-{container['name']}",
        image=_image(container["image"]),
        ready=True,
        started=True,
    )


def _completed(uid: str, container: Object, now: str) -> ContainerView:
    identity = f"{uid}-{container['name']}"
    return ContainerView(
        waiting="",
        ended=Ended(identity, 0, "Completed", "", now, now),
        container_id=identity,
        image=_image(container["image"]),
        ready=True,
    )


def _image(name: str) -> str:
    try:
        return str(reference.parse(name))
    except EmbeddedError:
        return name


def _machine(directory: Path) -> Machine:
    here = this_machine(directory)
    return Machine(_CPUS, _MEMORY_KIB, _DISK_KIB, here.kernel, here.os_image, here.machine_id, here.boot_id)


class _Server:
    """What the API server asks a kubelet for: logs, which are empty, and streams, which there are none."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        server = web.Server(self._answer, access_log=None)
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=1)

    async def start(self) -> None:
        self._socket.unlink(missing_ok=True)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self._socket)).start()

    async def stop(self) -> None:
        await self._runner.cleanup()
        self._socket.unlink(missing_ok=True)

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        if request.path.startswith("/containerLogs/"):
            return web.Response(text="")
        return web.Response(status=501, text=_NO_PROCESS)
