"""The kubelet of one node: it registers the Node, keeps its lease, and runs the Pods that are bound to it.

`Kubelet(api: Informers, clock: Clock, config, ...)`; several run in one process, one for each node.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.clock import Clock, rfc3339, rfc3339_micro
from kubetour.embedded.container import Container
from kubetour.embedded.events import EventRecorder
from kubetour.embedded.imagestore import ImageStore
from kubetour.embedded.informer import Informers
from kubetour.embedded.kubelet_container import POD_UID
from kubetour.embedded.kubelet_images import NodeImages
from kubetour.embedded.kubelet_node import NodeConfig, lease_object, node_object, node_status, this_machine
from kubetour.embedded.kubelet_pod import PodWorker
from kubetour.embedded.kubelet_server import KubeletServer
from kubetour.embedded.kubelet_state import NodeContext, PodState
from kubetour.embedded.paths import private_directory
from kubetour.embedded.pod_network import PodNetwork
from kubetour.embedded.runtime import Runtime

_log = logging.getLogger(__name__)
HEARTBEAT = 10.0  # seconds: kubelet's nodeStatusUpdateFrequency, and a quarter of the lease
_REPORT_EVERY = 300.0  # nodeStatusReportFrequency: how often a status that did not change is written
_SHUTDOWN_GRACE = 2.0  # seconds that containers have when the node goes down


class Kubelet:
    """One node. `run` works until cancelled; `stop` ends its containers."""

    def __init__(
        self,
        api: Informers,
        clock: Clock,
        config: NodeConfig,
        *,
        cluster: str,
        directory: Path,
        addresses: list[str],
        version: str,
        heartbeat: float = HEARTBEAT,
    ) -> None:
        self._api, self._clock, self._config, self._version = api, clock, config, version
        self._heartbeats_every = heartbeat
        self._directory = private_directory(directory)
        self._machine = this_machine(directory)
        store = ImageStore(directory / "images")
        self._runtime = Runtime(directory / "containers", store, clock, self._container_ended)
        self._images = NodeImages(store)
        self._events = EventRecorder(api, clock, "kubelet", config.name)
        self._context = NodeContext(
            name=config.name,
            cluster=cluster,
            address=config.address,
            directory=directory,
            api=api,
            clock=clock,
            events=self._events,
            runtime=self._runtime,
            images=self._images,
            network=PodNetwork(addresses),
        )
        self._workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._server = KubeletServer(self._find, self._runtime)
        self._reported = float("-inf")
        self._unschedulable = False
        self._stopped = False
        self._pods = api.of("pods")

    async def run(self) -> None:
        """Serve logs, register the node, and look after it and its Pods until cancelled."""
        await self._server.start(Path(self._config.socket))
        self._runtime.recover()
        await self._api.synced(self._pods)
        self._forget_strangers()
        self._pods.add_handler(self._pod_changed)
        while True:
            try:
                self._heartbeat()
            except StatusError as error:
                _log.warning("node %s: %s", self._config.name, error.message)
            await self._clock.sleep(self._heartbeats_every)

    async def stop(self) -> None:
        """End all containers of the node, and its server."""
        self._stopped = True
        self._pods.remove_handler(self._pod_changed)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._runtime.shut_down(_SHUTDOWN_GRACE)
        await self._server.stop()

    # --- the node

    def _heartbeat(self) -> None:
        """Write the node's status where it changed or is old, and renew the lease."""
        try:
            node = self._api.get("nodes", self._config.name)
        except StatusError as error:
            if error.code != 404:
                raise
            node = self._register()
        self._keep_socket(node)
        self._tell_schedulable(node)
        self._report(node)
        now = rfc3339_micro(self._clock.now())
        lease = lease_object(self._config, node, now)
        try:
            self._api.patch("leases", self._config.name, {"spec": lease["spec"]}, "kube-node-lease")
        except StatusError as error:
            if error.code != 404:
                raise
            self._api.create("leases", lease, "kube-node-lease")

    def _register(self) -> Object:
        new = node_object(self._config)
        new["status"] = self._status({})
        node = self._api.create("nodes", new)
        self._reported = self._clock.monotonic()
        self._events.normal("nodes", node, "Starting", "Starting kubelet.")
        self._events.normal("nodes", node, "NodeReady", f"Node {self._config.name} status is now: NodeReady")
        return node

    def _keep_socket(self, node: Object) -> None:
        wanted = node_object(self._config)["metadata"]["annotations"]
        if any((node["metadata"].get("annotations") or {}).get(k) != v for k, v in wanted.items()):
            self._api.patch("nodes", self._config.name, {"metadata": {"annotations": wanted}})

    def _tell_schedulable(self, node: Object) -> None:
        """Tell of a cordon and of its end when it is next looked, as kubelet_node_status.go does."""
        unschedulable = bool(node["spec"].get("unschedulable"))
        if unschedulable != self._unschedulable:
            self._unschedulable = unschedulable
            reason = "NodeNotSchedulable" if unschedulable else "NodeSchedulable"
            self._events.normal("nodes", node, reason, f"Node {self._config.name} status is now: {reason}")

    def _report(self, node: Object) -> None:
        old = node.get("status") or {}
        new = self._status(old)
        now = self._clock.monotonic()
        if _without_heartbeat(new) == _without_heartbeat(old) and now - self._reported < _REPORT_EVERY:
            return
        gone = dict.fromkeys(old.keys() - new.keys())
        self._api.patch("nodes", self._config.name, {"status": {**gone, **new}}, subresource="status")
        self._reported = now

    def _status(self, old: Object) -> Object:
        now = rfc3339(self._clock.now())
        images = self._images.all()
        return node_status(self._config, self._machine, self._version, images, now, old)

    # --- Pods

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        pod = new or old
        if pod is None or self._stopped or pod["spec"].get("nodeName") != self._config.name:
            return
        uid = pod["metadata"]["uid"]
        if old is not None and old["metadata"]["uid"] != uid and old["metadata"]["uid"] in self._workers:
            self._workers[old["metadata"]["uid"]].update(None)  # deleted, and made again under its name
        worker = self._workers.get(uid)
        if worker is None and new is not None:
            self._begin(new)
        elif worker is not None:
            worker.update(new)

    def _begin(self, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        worker = PodWorker(self._context, pod)
        worker.recover(self._attempts(uid))
        self._workers[uid] = worker  # one that could not begin is begun at the Pod's next change
        task = self._tasks[uid] = asyncio.create_task(worker.run(), name=f"pod {pod['metadata']['name']}")
        task.add_done_callback(lambda _: self._ended(uid))

    def _ended(self, uid: str) -> None:
        self._workers.pop(uid, None)
        self._tasks.pop(uid, None)

    def _attempts(self, uid: str) -> list[Container]:
        known = list(self._runtime.containers.values())  # at once: threads make containers meanwhile
        mine = [container for container in known if container.labels.get(POD_UID) == uid]
        return sorted(mine, key=lambda container: container.created_at)

    def _forget_strangers(self) -> None:
        """Remove what is left of Pods that were deleted while this kubelet was down."""
        known = {pod["metadata"]["uid"] for pod in self._pods.all()}
        for container in list(self._runtime.containers.values()):
            if container.labels.get(POD_UID) not in known:
                self._runtime.remove(container)
        for directory in (self._directory / "pods").glob("*"):
            if directory.name.rpartition("_")[2] not in known:
                shutil.rmtree(directory, ignore_errors=True)

    def _container_ended(self, container: Container) -> None:
        worker = self._workers.get(container.labels.get(POD_UID, ""))
        if worker:
            worker.container_ended(container)

    def _find(self, namespace: str, name: str) -> PodState | None:
        for worker in self._workers.values():
            metadata = worker.state.pod["metadata"]
            if (metadata["namespace"], metadata["name"]) == (namespace, name):
                return worker.state
        return None


def _without_heartbeat(status: Object) -> Object:
    conditions = [
        {key: value for key, value in condition.items() if key != "lastHeartbeatTime"}
        for condition in status.get("conditions") or []
    ]
    return {**status, "conditions": conditions}
