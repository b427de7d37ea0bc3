"""A whole cluster in this process: API server, every controller, and Pods that only pretend to run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from kubetour.embedded.clock import SystemClock
from kubetour.embedded.controller import Informers
from kubetour.embedded.server import controllers
from tests.embedded.controlplane import Kubelet, node
from tests.embedded.serving import Cluster, serving

# Seconds: no kubelet renews the nodes' leases.
_NODE_GRACE = 86400.0


@asynccontextmanager
async def running(directory: Path, *, nodes: int = 2) -> AsyncIterator[Cluster]:
    """Run a cluster whose nodes are called node-1, node-2… until the block ends."""
    clock = SystemClock()
    async with serving(directory, clock) as cluster:
        api = Informers(cluster.registry, clock)
        for number in range(nodes):
            cluster.registry.create("nodes", node(f"node-{number + 1}"))
        components: list[Any] = [api, Kubelet(api, clock), *controllers(api, clock, "", _NODE_GRACE)]
        tasks = [asyncio.create_task(component.run()) for component in components]
        try:
            yield cluster
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
