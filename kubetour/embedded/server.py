"""The cluster's one process: store, API server, controllers, kubelets and proxy, in one event loop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from kubetour.embedded import certs
from kubetour.embedded.apiserver import APIServer
from kubetour.embedded.bootstrap import bootstrap, keep_service
from kubetour.embedded.clock import Clock, SystemClock
from kubetour.embedded.clusterconfig import FAKE
from kubetour.embedded.clusterstate import ClusterDirectory, ClusterRecord
from kubetour.embedded.controller import Controller
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.etcd import Store, StoreDamagedError, StoreInUseError
from kubetour.embedded.handlers.meta import version
from kubetour.embedded.informer import Informers
from kubetour.embedded.listening import free_ports
from kubetour.embedded.network import AddressPlan, Network, NetworkError
from kubetour.embedded.nodes import Nodes
from kubetour.embedded.podutil import is_ready
from kubetour.embedded.proxy import HostPort, Proxy
from kubetour.embedded.registry import Registry

_log = logging.getLogger(__name__)
API_HOST = "127.0.0.1"
Report = Callable[[str], None]


class ClusterServer:
    """A whole cluster. `start` returns when its nodes are ready; `stop` ends it, Pods included."""

    def __init__(self, directory: ClusterDirectory, clock: Clock) -> None:
        self._directory, self._clock = directory, clock
        self._stack = AsyncExitStack()
        self._tasks: set[asyncio.Task[None]] = set()
        self._nodes: Nodes | None = None
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self, report: Report) -> None:
        """Bring everything up; EmbeddedError names what is in the way. `report` hears of each stage."""
        record = self._directory.load()
        try:
            network = Network.acquire(record.octet if record.octet >= 0 else None)
            self._stack.callback(network.close)
            record.octet = network.plan.octet
            registry = await self._api_server(record, network.plan)
            report("api")
            api = Informers(registry, self._clock)
            proxy = Proxy(api, self._clock, [HostPort(**port) for port in record.ports])
            proxy.bind_host_ports()
        except NetworkError as error:
            raise EmbeddedError(str(error)) from error
        ca = (self._directory.path / "pki" / "ca.crt").read_text(encoding="ascii")
        self._run(api.run())
        if record.runtime == FAKE:
            await self._fake_nodes(record, api)
        else:
            if record.made:  # it starts again; what this needs would hold up a first start
                from kubetour.embedded.recovery import forget_readiness

                forget_readiness(registry, self._clock.now())
            self._nodes = Nodes(self._directory, record, network.plan, api, self._clock, self._run)
            self._stack.push_async_callback(self._nodes.stop)
            self._run(proxy.run())
            self._nodes.start()
        await _nodes_ready(registry, [node["name"] for node in record.nodes])
        record.made = True
        self._directory.save(record)
        report("ready")
        # Whoever waits for the nodes goes on meanwhile.
        for controller in controllers(api, self._clock, ca, record.node_monitor_grace):
            self._run(controller.run())

    def follow_marks(self) -> None:
        """Stop and start nodes as their marks say, in the background."""
        if self._nodes is not None:
            self._run(self._nodes.follow_marks(), ends=True)

    async def stop(self) -> None:
        """End Pods, components, server and store, in this order."""
        await self._stack.aclose()

    async def _api_server(self, record: ClusterRecord, plan: AddressPlan) -> Registry:
        path = self._directory.path
        (path / "state.db").touch(mode=0o600)  # which SQLite's other files then have, too
        try:
            store = Store(path / "state.db")
        except (StoreInUseError, StoreDamagedError) as error:
            raise EmbeddedError(str(error)) from error
        self._stack.callback(store.close)
        registry = Registry(store, self._clock, service_ips=plan.services())
        issued = certs.ensure(path / "pki", (API_HOST, plan.kubernetes), self._clock.now())
        server = APIServer(registry, token=record.token, certs=issued, event_ttl=record.event_ttl)
        self._stack.push_async_callback(server.stop)
        record.port = await _listen(server, record.port)
        self._directory.save(record)
        bootstrap(registry, service_ip=plan.kubernetes, address=API_HOST, port=record.port)
        self._stack.push_async_callback(self._end_tasks)
        self._run(keep_service(registry, service_ip=plan.kubernetes, address=API_HOST, port=record.port))
        return registry

    async def _fake_nodes(self, record: ClusterRecord, api: Informers) -> None:
        """Pretend to be all the nodes. There is no proxy, as nothing listens in their Pods."""
        from kubetour.embedded.kubelet_fake import FakeKubelets, fake_nodes

        self._directory.make_socket_directory(record.nodes[0]["name"])
        socket = str(self._directory.kubelet_socket(record.nodes[0]["name"]))
        nodes = fake_nodes(record.nodes, socket)
        fake = FakeKubelets(api, self._clock, nodes, self._directory.path, version()["gitVersion"])
        self._stack.push_async_callback(fake.stop)
        await fake.start()
        self._run(fake.run())
        self._run(fake.beat())

    def _run(self, work: Coroutine[Any, Any, None], ends: bool = False) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, ends))
        return task

    def _ended(self, expected: bool, task: asyncio.Task[None]) -> None:
        """A component that ends by itself takes the cluster down, rather than leave half of one."""
        self._tasks.discard(task)
        if task.cancelled() or self.failed.done():
            return
        error = task.exception()
        if error or not expected:
            self.failed.set_exception(error or EmbeddedError("a component ended by itself"))

    async def _end_tasks(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*tuple(self._tasks), return_exceptions=True)
        if self.failed.done():
            self.failed.exception()  # it was seen
        else:
            self.failed.cancel()


def controllers(
    api: Informers, clock: Clock, ca_certificate: str, node_grace: float
) -> list[Controller[Any]]:
    """Return what Kubernetes runs as its controller manager and its scheduler."""
    from kubetour.embedded.deployment import DeploymentController
    from kubetour.embedded.disruption import DisruptionController
    from kubetour.embedded.endpoints import EndpointsController
    from kubetour.embedded.endpointslice import EndpointSliceController
    from kubetour.embedded.endpointslicemirroring import EndpointSliceMirroringController
    from kubetour.embedded.garbagecollector import GarbageCollector
    from kubetour.embedded.namespace import NamespaceController
    from kubetour.embedded.nodelifecycle import NodeLifecycleController
    from kubetour.embedded.replicaset import ReplicaSetController
    from kubetour.embedded.scheduler import Scheduler
    from kubetour.embedded.serviceaccount import ServiceAccountController

    return [
        Scheduler(api, clock),
        DeploymentController(api, clock),
        ReplicaSetController(api, clock),
        EndpointSliceController(api, clock),
        EndpointsController(api, clock),
        EndpointSliceMirroringController(api, clock),
        ServiceAccountController(api, clock, ca_certificate),
        NamespaceController(api, clock),
        GarbageCollector(api, clock),
        NodeLifecycleController(api, clock, node_grace),
        DisruptionController(api, clock),
    ]


async def _listen(server: APIServer, port: int) -> int:
    """Start the API server on the port it had before, else on a free one; return the port."""
    if port:
        try:
            return await server.start(API_HOST, port)
        except OSError as error:
            raise EmbeddedError(
                f"the cluster's port {port} is taken: {error}; end what listens there, or delete the cluster"
            ) from error
    for candidate in free_ports(API_HOST):
        try:
            return await server.start(API_HOST, candidate)
        except OSError:
            await server.stop()
    raise EmbeddedError("no free port below 30000 was found for the API server; end some servers")


async def _nodes_ready(registry: Registry, names: list[str]) -> None:
    found = registry.list("nodes")
    missing = set(names) - {node["metadata"]["name"] for node in found.items if is_ready(node)}
    if not missing:
        return
    async for event in registry.watch("nodes", resource_version=found.resource_version):
        if is_ready(event.object):
            missing.discard(event.object["metadata"]["name"])
        if not missing:
            return


async def serve(name: str, report: Report, root: Path | None = None, *, lifeline: int | None = None) -> None:
    """Be the cluster until told to end by a signal, by the end of a pipe, or until a component fails."""
    directory = ClusterDirectory(name, root)
    directory.note_server(os.getpid())
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    if lifeline is not None:
        loop.add_reader(lifeline, _lifeline_ended, lifeline, told)
    server = ClusterServer(directory, SystemClock())
    loop.add_signal_handler(signal.SIGUSR1, server.follow_marks)
    ending: asyncio.Future[Any] = asyncio.ensure_future(told.wait())
    starting: asyncio.Future[Any] = asyncio.ensure_future(server.start(report))
    failed: asyncio.Future[Any] = server.failed
    try:
        await asyncio.wait({starting, ending, failed}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
        elif not told.is_set():
            starting.result()
            await asyncio.wait({ending, failed}, return_when=asyncio.FIRST_COMPLETED)
        if failed.done():
            failed.result()
    finally:
        ending.cancel()
        await asyncio.gather(starting, ending, return_exceptions=True)
        await server.stop()


def _lifeline_ended(lifeline: int, told: asyncio.Event) -> None:
    asyncio.get_running_loop().remove_reader(lifeline)
    told.set()
