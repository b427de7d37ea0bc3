"""A control plane for tests: the real registry, a clock that stands still, and a kubelet of a few lines."""

from __future__ import annotations

import asyncio
import functools
import heapq
import inspect
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.clock import Clock, rfc3339
from kubetour.embedded.controller import Informers
from kubetour.embedded.etcd import Store
from kubetour.embedded.registry import Registry

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


class FakeClock:
    """Stands still until it is advanced; sleepers wake when their time has come."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self.seconds + seconds, self._count, future))
        await future

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        while self._sleepers and self._sleepers[0][0] <= self.seconds:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)


class Kubelet:
    """Makes bound Pods run and be ready, and ends terminating ones, at once."""

    def __init__(self, api: Informers, clock: Clock) -> None:
        self.api, self.clock = api, clock
        self.ready: Callable[[Object], bool] = lambda pod: True
        self.stops: Callable[[Object], bool] = lambda pod: True
        self.silent = False
        self._changed = asyncio.Event()
        self._addresses = iter(f"127.64.0.{host}" for host in range(2, 255))
        self._pods = api.of("pods")
        self._pods.add_handler(lambda old, new: self._changed.set())

    def poke(self) -> None:
        self._changed.set()

    async def run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            for pod in [] if self.silent else self._pods.all():
                self._sync(pod)

    def _sync(self, pod: Object) -> None:
        metadata = pod["metadata"]
        if not pod["spec"].get("nodeName"):
            return
        if "deletionTimestamp" in metadata:
            if self.stops(pod):
                self.api.delete("pods", metadata["name"], metadata["namespace"], grace_period_seconds=0)
            return
        status = dict(pod["status"])
        conditions = status.get("conditions") or []
        others = [item for item in conditions if item["type"] not in ("Ready", "ContainersReady")]
        value = "True" if self.ready(pod) else "False"
        before = next((item for item in conditions if item["type"] == "Ready"), None)
        if before and before["status"] == value:
            return
        moment = rfc3339(self.clock.now())
        ready = [
            {"type": kind, "status": value, "lastTransitionTime": moment, "lastProbeTime": None}
            for kind in ("Ready", "ContainersReady")
        ]
        status |= {"phase": "Running", "conditions": [*others, *ready]}
        address = status.get("podIP") or next(self._addresses)
        status |= {"podIP": address, "podIPs": [{"ip": address}], "startTime": moment}
        self.api.update("pods", {**pod, "status": status}, subresource="status")


class ControlPlane:
    """The registry, the caches over it, and whatever components a test starts."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = Store(":memory:")
        self.registry = Registry(self.store, self.clock, service_ips=("127.64.128.1", "127.126.254.254"))
        self.api = Informers(self.registry, self.clock)
        self.components: list[Any] = [self.api]
        self._tasks: list[asyncio.Task[None]] = []
        self.registry.create("namespaces", {"metadata": {"name": "default"}})

    def add(self, component: Any) -> Any:
        self.components.append(component)
        return component

    def add_kubelet(self) -> Kubelet:
        kubelet = Kubelet(self.api, self.clock)
        self.components.append(kubelet)
        return kubelet

    async def settle(self, seconds: float = 0.0) -> None:
        """Let everything happen that happens without time passing, after `seconds` have passed."""
        for component in self.components[len(self._tasks) :]:
            self._tasks.append(asyncio.get_running_loop().create_task(component.run()))
        self.clock.advance(seconds)
        quiet, revision = 0, -1
        while quiet < 20:
            await asyncio.sleep(0)
            for task in self._tasks:
                if task.done():
                    task.result()
            quiet = quiet + 1 if self.store.revision == revision and self._idle() else 0
            revision = self.store.revision

    def _idle(self) -> bool:
        return all(component.queue.idle for component in self.components if hasattr(component, "queue"))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        self.store.close()
        for result in results:
            if not isinstance(result, asyncio.CancelledError):
                raise AssertionError(f"a component ended by itself: {result!r}")

    # --- asking

    def get(self, resource: str, name: str, namespace: str = "default") -> Object:
        return self.registry.get(resource, name, namespace)

    def items(self, resource: str, namespace: str = "default", **more: str) -> list[Object]:
        return self.registry.list(resource, namespace, **more).items

    def exists(self, resource: str, name: str, namespace: str = "default") -> bool:
        try:
            self.registry.get(resource, name, namespace)
        except StatusError as error:
            if error.code != 404:
                raise
            return False
        return True

    def events(self, reason: str = "") -> list[str]:
        found = sorted(self.items("events"), key=lambda event: int(event["metadata"]["resourceVersion"]))
        return [event["message"] for event in found if reason in ("", event["reason"])]

    def history(self, resource: str) -> list[tuple[str, Object]]:
        """Return every change of a resource so far, as a watch from the beginning tells it."""
        changes = self.store.history(f"/{resource}/", 0, 100_000)
        return [
            (
                "DELETED" if change.deleted else "MODIFIED" if change.previous else "ADDED",
                json.loads(change.value),
            )
            for change in changes
        ]


@asynccontextmanager
async def control_plane(*kinds: type[Any]) -> AsyncIterator[ControlPlane]:
    plane = ControlPlane()
    for kind in kinds:
        plane.add(kind(plane.api, plane.clock))
    try:
        yield plane
    finally:
        await plane.stop()


def scenario(*kinds: type[Any]) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """Make a test of an async function (plane, ...), with those controllers started."""

    def wrap(function: Callable[..., Any]) -> Callable[..., None]:
        @functools.wraps(function)
        def test(**arguments: Any) -> None:
            async def run() -> None:
                async with control_plane(*kinds) as plane:
                    await function(plane, **arguments)

            asyncio.run(run())

        signature = inspect.signature(function)
        parameters = list(signature.parameters.values())[1:]
        test.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        return test

    return wrap


def node(name: str = "node-1", **changes: Any) -> Object:
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **changes.pop("labels", {})}},
        "spec": changes.pop("spec", {}),
        "status": {
            "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110", **changes.pop("allocatable", {})},
            "conditions": [
                {"type": "Ready", "status": changes.pop("ready", "True"), "reason": "KubeletReady"},
            ],
            "addresses": [{"type": "InternalIP", "address": "127.64.255.1"}],
        },
    }


def deployment(name: str = "web", replicas: int = 1, **spec: Any) -> Object:
    labels = {"app": name}
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [
                        {
                            "name": "web",
                            "image": spec.pop("image", "web:1"),
                            "ports": [{"containerPort": 8080}],
                        }
                    ]
                },
            },
            **spec,
        },
    }


def pod(name: str = "p", **spec: Any) -> Object:
    metadata = {"name": name, "namespace": spec.pop("namespace", "default")}
    for field in ("labels", "annotations", "ownerReferences"):
        if field in spec:
            metadata[field] = spec.pop(field)
    return {"metadata": metadata, "spec": {"containers": [{"name": "c", "image": "i:1"}], **spec}}


def service(name: str = "web", **spec: Any) -> Object:
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}], **spec},
    }


def config_map(name: str, *owners: Object, blocks: bool = True, **metadata: Any) -> Object:
    """Return a ConfigMap that other ConfigMaps own; `blocks`: deleted in the foreground, they wait for it."""
    references = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": blocks,
        }
        for owner in owners
    ]
    return {"metadata": {"name": name, "namespace": "default", "ownerReferences": references, **metadata}}
