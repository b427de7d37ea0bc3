"""A node for tests: the kubelet with the real registry and real processes; only time may be made up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import aiohttp

from kubetour.embedded.api import StatusError
from kubetour.embedded.bootstrap import bootstrap
from kubetour.embedded.clock import SystemClock
from kubetour.embedded.etcd import Store
from kubetour.embedded.imagestore import ImageStore
from kubetour.embedded.informer import Informers
from kubetour.embedded.kubelet import Kubelet
from kubetour.embedded.kubelet_node import NodeConfig
from kubetour.embedded.registry import Registry
from tests.embedded.making import shell_image

Object = dict[str, Any]
# An octet that no cluster takes: clusters have 64 to 126.
HERE = "127.62"


class FastClock(SystemClock):
    """A machine's clock, but for waiting, which takes a hundredth of the time."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 100)

    def monotonic(self) -> float:
        return super().monotonic() * 100


class Node:
    """A node whose kubelet runs, and the API it talks to."""

    def __init__(self, root: Path, registry: Registry) -> None:
        self.root, self.registry = root, registry
        self.directory = root / "node"
        self.tasks: list[asyncio.Task[None]] = []

    async def start(self, **config: Any) -> None:
        clock = self.registry.clock
        self.api = Informers(self.registry, clock)
        socket = str(self.directory / "kubelet.sock")
        self.kubelet = Kubelet(
            self.api,
            clock,
            NodeConfig("n", "worker", f"{HERE}.255.1", f"{HERE}.0.0/24", socket, **config),
            cluster="c",
            directory=self.directory,
            addresses=[f"{HERE}.0.{host}" for host in range(2, 20)],
            version="v1.36.2",
        )
        self.tasks = [asyncio.create_task(self.api.run()), asyncio.create_task(self.kubelet.run())]
        await self.until(lambda: self.registry.list("nodes").items)

    async def stop(self) -> None:
        await self.kubelet.stop()
        for task in self.tasks:
            task.cancel()
        for result in await asyncio.gather(*self.tasks, return_exceptions=True):
            assert isinstance(result, asyncio.CancelledError), result

    async def until(self, true: Callable[[], Any]) -> Any:
        """Return the first true value: looked for after each change of the store, and every 10 ms."""
        while True:
            self.fail_early()
            found = true()
            if found:
                return found
            await asyncio.sleep(0.01)

    def fail_early(self) -> None:
        for task in self.tasks:
            if task.done():
                task.result()

    def load(self, script: str, name: str = "app:1", more: str = "") -> None:
        """Make an image of a shell script, on this node."""
        image = shell_image(self.root, script, name, more)
        ImageStore(self.root / "images").copy_to(ImageStore(self.directory / "images"), image, image.names)

    def create(self, *containers: Object, name: str = "p", **spec: Any) -> Object:
        """Create a Pod that is bound to the node already."""
        found = [{"name": "c", "image": "app:1", **each} for each in containers or ({},)]
        body = {"metadata": {"name": name}, "spec": {"nodeName": "n", "containers": found, **spec}}
        return self.registry.create("pods", body, "default")

    def pod(self, name: str = "p") -> Object:
        return self.registry.get("pods", name, "default")

    def gone(self, name: str = "p") -> bool:
        try:
            self.pod(name)
        except StatusError as error:
            return error.code == 404
        return False

    async def phase(self, phase: str, name: str = "p") -> Object:
        return await self.until(lambda: self.pod(name)["status"]["phase"] == phase) and self.pod(name)

    async def ready(self, name: str = "p", value: str = "True") -> Object:
        await self.until(lambda: condition(self.pod(name), "Ready") == value)
        return self.pod(name)

    async def waiting(self, reason: str, name: str = "p") -> Object:
        def found() -> Object:
            return container(self.pod(name))["state"].get("waiting", {}) if statuses(self.pod(name)) else {}

        await self.until(lambda: found().get("reason") == reason)
        return container(self.pod(name))

    def events(self, name: str = "p") -> list[tuple[str, str]]:
        found = self.registry.list("events", "default").items
        found = [event for event in found if event["involvedObject"]["name"] == name]
        return [(event["reason"], event["message"]) for event in found]

    async def logs(self, query: str = "", name: str = "p") -> tuple[int, str]:
        socket = self.registry.get("nodes", "n")["metadata"]["annotations"][
            "embedded.kubetour.dev/kubelet-socket"
        ]
        url = f"http://kubelet/containerLogs/default/{name}/c?{query}"
        connector = aiohttp.UnixConnector(socket)
        async with aiohttp.ClientSession(connector=connector) as session, session.get(url) as answer:
            return answer.status, await answer.text()


def statuses(pod: Object) -> list[Object]:
    found: list[Object] = pod["status"].get("containerStatuses") or []
    return found


def container(pod: Object) -> Object:
    return statuses(pod)[0]


def condition(pod: Object, kind: str) -> str | None:
    conditions = pod["status"].get("conditions") or []
    return next((item["status"] for item in conditions if item["type"] == kind), None)


@asynccontextmanager
async def running(root: Path, clock: SystemClock | None = None, **config: Any) -> AsyncIterator[Node]:
    store = Store(root / "state.db")
    registry = Registry(store, clock or SystemClock())
    bootstrap(registry, service_ip="127.64.128.1", address="127.0.0.1", port=6443)
    node = Node(root, registry)
    await node.start(**config)
    try:
        yield node
    finally:
        await node.stop()
        store.close()


Test = Callable[[Node], Awaitable[None]]


def on_a_node(
    clock: type[SystemClock] = SystemClock, **config: Any
) -> Callable[[Test], Callable[[Path], None]]:
    """Run an asynchronous test with a node, twenty seconds at most."""

    def decorate(test: Test) -> Callable[[Path], None]:
        @wraps(test)
        def run(short: Path) -> None:
            async def whole() -> None:
                async with running(short, clock(), **config) as node:
                    await asyncio.wait_for(test(node), 20)

            asyncio.run(whole())

        run.__annotations__ = {"short": Path}
        del run.__wrapped__  # pytest looks at the parameters
        return run

    return decorate


SERVE = "trap 'exit 0' TERM; echo up; while :; do sleep 0.01; done"


async def until_printed(node: Node, text: str, name: str = "p") -> None:
    while text not in (await node.logs(name=name))[1]:
        await asyncio.sleep(0.01)
