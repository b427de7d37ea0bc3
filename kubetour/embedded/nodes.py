"""The cluster's nodes: their kubelets, those that were stopped left out.

A node is stopped by a mark in its directory, and started by taking it away; whoever does that tells the
server with a signal. Its kubelet's socket is there as long as the node runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from kubetour.embedded.clock import Clock
from kubetour.embedded.clusterstate import ClusterDirectory, ClusterRecord
from kubetour.embedded.handlers.meta import version
from kubetour.embedded.informer import Informers
from kubetour.embedded.kubelet import HEARTBEAT, Kubelet
from kubetour.embedded.kubelet_node import NodeConfig
from kubetour.embedded.network import AddressPlan

Run = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
_BEATS = 4  # renewals of the lease within the time in which a node may be silent, at least


class Nodes:
    """All nodes of a cluster; `run` makes a component's coroutine a task that the cluster watches over."""

    def __init__(
        self,
        directory: ClusterDirectory,
        record: ClusterRecord,
        plan: AddressPlan,
        api: Informers,
        clock: Clock,
        run: Run,
    ) -> None:
        self._directory, self._record, self._plan = directory, record, plan
        self._api, self._clock, self._run = api, clock, run
        self._running: dict[str, tuple[Kubelet, asyncio.Task[None]]] = {}
        self._lock = asyncio.Lock()

    def start(self) -> None:
        """Start the nodes that are to run."""
        for index, node in enumerate(self._record.nodes):
            name = node["name"]
            if name not in self._running and not self._directory.stopped_mark(name).exists():
                kubelet = self._kubelet(index, node)
                self._running[name] = kubelet, self._run(kubelet.run())

    async def follow_marks(self) -> None:
        """Stop the nodes that were marked since, and start those that no longer are."""
        async with self._lock:
            marked = [name for name in self._running if self._directory.stopped_mark(name).exists()]
            await self._stop(marked)
            self.start()

    async def stop(self) -> None:
        """Stop all nodes."""
        async with self._lock:
            await self._stop(list(self._running))

    async def _stop(self, names: list[str]) -> None:
        stopping = [self._running.pop(name) for name in names]
        for _, task in stopping:
            task.cancel()
        await asyncio.gather(*(kubelet.stop() for kubelet, _ in stopping))

    def _kubelet(self, index: int, node: dict[str, Any]) -> Kubelet:
        name, record = node["name"], self._record
        self._directory.make_socket_directory(name)
        config = NodeConfig(
            name=name,
            role=node["role"],
            address=self._plan.node(index),
            pod_cidr=self._plan.pod_cidr(index),
            socket=str(self._directory.kubelet_socket(name)),
            labels=node["labels"],
            schedulable=not any(each["role"] == "worker" for each in record.nodes),
        )
        return Kubelet(
            self._api,
            self._clock,
            config,
            cluster=record.name,
            directory=self._directory.node(name),
            addresses=list(self._plan.pods(index)),
            version=version()["gitVersion"],
            heartbeat=min(HEARTBEAT, record.node_monitor_grace / _BEATS),
        )
