"""A local copy of what the API holds, kept by list and watch and shared by all controllers of the process.

Objects in it are shared: nobody may change one. Whoever wants another state copies, writes through
`Informers` and finds the result in the copy at once. That is why no controller here needs Kubernetes' "expectations": it
never acts on a state older than its own last write.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from typing import NamedTuple

from kubetour.embedded.api import API, Event, Object, ObjectList, StatusError
from kubetour.embedded.clock import Clock

Handler = Callable[["Object | None", "Object | None"], None]
IndexFunction = Callable[[Object], Iterable[object]]
_log = logging.getLogger(__name__)
_RELIST_DELAY = 1.0


class Key(NamedTuple):
    """What names an object within its resource; the namespace is "" for cluster-scoped ones."""

    namespace: str
    name: str


def key_of(obj: Object) -> Key:
    """Return an object's key."""
    return Key(obj["metadata"].get("namespace", ""), obj["metadata"]["name"])


def controller_of(obj: Object) -> Object | None:
    """Return the owner reference that says controller: true, or None."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            found: Object = reference
            return found
    return None


def _by_namespace(obj: Object) -> Iterable[object]:
    return (obj["metadata"].get("namespace", ""),)


def _by_controller(obj: Object) -> Iterable[object]:
    """The controller's uid, or for an object without one its namespace: where those look who may adopt it."""
    reference = controller_of(obj)
    return (reference["uid"] if reference else ("orphan", obj["metadata"].get("namespace", "")),)


class Informer:
    """The objects of one resource by key and by index; handlers are told (old, new), None for "not there".

    Handlers run within the write that caused them, so they may only put keys into queues.
    """

    def __init__(self, resource: str) -> None:
        self.resource = resource
        self.synced = asyncio.Event()
        self._objects: dict[Key, Object] = {}
        self._gone: dict[Key, int] = {}
        self._handlers: list[Handler] = []
        self._functions: dict[str, IndexFunction] = {}
        self._indexes: dict[str, dict[object, dict[Key, Object]]] = {}
        self.add_index("namespace", _by_namespace)
        self.add_index("controller", _by_controller)

    def get(self, namespace: str, name: str) -> Object | None:
        """Return one object, or None."""
        return self._objects.get(Key(namespace, name))

    def all(self) -> list[Object]:
        """Return all objects."""
        return list(self._objects.values())

    def by(self, index: str, value: object) -> list[Object]:
        """Return the objects that an index puts under a value."""
        return list(self._indexes[index].get(value, {}).values())

    def add_index(self, name: str, function: IndexFunction) -> None:
        """Keep an index from now on; a second one of the same name is taken to be the same."""
        if name in self._functions:
            return
        self._functions[name] = function
        self._indexes[name] = {}
        for obj in self._objects.values():
            self._place(name, obj)

    def add_handler(self, handler: Handler) -> None:
        """Call a function at every change, and first for every object that is there."""
        self._handlers.append(handler)
        for obj in self.all():
            handler(None, obj)

    def applied(self, obj: Object) -> None:
        """Take in an object as it is now; one that is not newer than what is known changes nothing."""
        key, revision = key_of(obj), int(obj["metadata"]["resourceVersion"])
        old = self._objects.get(key)
        known = int(old["metadata"]["resourceVersion"]) if old else self._gone.get(key, 0)
        if revision <= known:
            return
        self._gone.pop(key, None)
        if old is not None:
            self._displace(old)
        self._objects[key] = obj
        for name in self._functions:
            self._place(name, obj)
        for handler in self._handlers:
            handler(old, obj)

    def removed(self, obj: Object) -> None:
        """Take out an object that was deleted at its resourceVersion."""
        key, revision = key_of(obj), int(obj["metadata"]["resourceVersion"])
        if self._gone.get(key) == revision:
            del self._gone[key]
            return
        old = self._objects.get(key)
        if old is None or int(old["metadata"]["resourceVersion"]) > revision:
            return
        del self._objects[key]
        self._displace(old)
        for handler in self._handlers:
            handler(old, None)

    def removed_early(self, obj: Object) -> None:
        """As `removed`, before the watch tells it: what the watch still says of that time is ignored."""
        self.removed(obj)
        self._gone[key_of(obj)] = int(obj["metadata"]["resourceVersion"])

    def replace(self, found: ObjectList) -> None:
        """Take in a whole list: what is not in it is gone."""
        self._gone.clear()
        present = {key_of(obj) for obj in found.items}
        for key in [key for key in self._objects if key not in present]:
            old = self._objects.pop(key)
            self._displace(old)
            for handler in self._handlers:
                handler(old, None)
        for obj in found.items:
            self.applied(obj)

    def _place(self, name: str, obj: Object) -> None:
        for value in self._functions[name](obj):
            self._indexes[name].setdefault(value, {})[key_of(obj)] = obj

    def _displace(self, obj: Object) -> None:
        key = key_of(obj)
        for name, function in self._functions.items():
            index = self._indexes[name]
            for value in function(obj):
                entries = index.get(value)
                if entries is not None:
                    entries.pop(key, None)
                    if not entries:
                        del index[value]


class Informers:
    """An `api.API` that keeps a copy of the resources it was asked to follow, and applies its writes to it.

    Made once per process, `Informers(api, clock)`; every controller gets it as its `api`. `run()` must run.
    """

    def __init__(self, api: API, clock: Clock) -> None:
        self.api = api
        self._clock = clock
        self._informers: dict[str, Informer] = {}
        self._unstarted: asyncio.Queue[Informer] = asyncio.Queue()

    def of(self, resource: str) -> Informer:
        """Return the informer of a resource, beginning to follow it if nobody did."""
        informer = self._informers.get(resource)
        if informer is None:
            informer = self._informers[resource] = Informer(resource)
            self._unstarted.put_nowait(informer)
        return informer

    async def synced(self, *informers: Informer) -> None:
        """Wait until those (by default all) have had their first list."""
        for informer in informers or tuple(self._informers.values()):
            await informer.synced.wait()

    async def run(self) -> None:
        """Follow the resources until cancelled."""
        tasks: set[asyncio.Task[None]] = set()
        try:
            while True:
                informer = await self._unstarted.get()
                tasks.add(asyncio.get_running_loop().create_task(self._follow(informer)))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, informer: Informer) -> None:
        while True:
            try:
                found = self.api.list(informer.resource)
                informer.replace(found)
                informer.synced.set()
                async for event in self.api.watch(informer.resource, resource_version=found.resource_version):
                    if event.type == "DELETED":
                        informer.removed(event.object)
                    elif event.type != "BOOKMARK":
                        informer.applied(event.object)
            except StatusError as error:
                # 410: the history was compacted away under us, so begin again with a list.
                if error.code != 410:
                    _log.warning("following %s failed: %s", informer.resource, error.message)
                    await self._clock.sleep(_RELIST_DELAY)
            else:
                # The watch ended by itself: the server is on its way out, or cut it off.
                await self._clock.sleep(_RELIST_DELAY)

    # --- api.API: reads pass through, writes land in the copy too

    def get(self, resource: str, name: str, namespace: str = "") -> Object:
        """Return one object from the API itself."""
        return self.api.get(resource, name, namespace)

    def list(self, resource: str, namespace: str = "", *, labels: str = "", fields: str = "") -> ObjectList:
        """List objects from the API itself."""
        return self.api.list(resource, namespace, labels=labels, fields=fields)

    def watch(self, resource: str, namespace: str = "", *, resource_version: str) -> AsyncIterator[Event]:
        """Watch the API itself."""
        return self.api.watch(resource, namespace, resource_version=resource_version)

    def create(self, resource: str, obj: Object, namespace: str = "") -> Object:
        """Create an object; the one returned is shared with the copy."""
        return self._written(resource, self.api.create(resource, obj, namespace))

    def update(self, resource: str, obj: Object, *, subresource: str = "") -> Object:
        """Replace an object; the one returned is shared with the copy."""
        return self._written(resource, self.api.update(resource, obj, subresource=subresource))

    def patch(
        self, resource: str, name: str, patch: Object, namespace: str = "", *, subresource: str = ""
    ) -> Object:
        """Merge a patch into an object; the one returned is shared with the copy."""
        return self._written(
            resource, self.api.patch(resource, name, patch, namespace, subresource=subresource)
        )

    def bind(self, namespace: str, pod: str, node: str) -> None:
        """Assign a Pod to a node."""
        self.api.bind(namespace, pod, node)
        if "pods" in self._informers:
            self._written("pods", self.api.get("pods", pod, namespace))

    def delete(
        self,
        resource: str,
        name: str,
        namespace: str = "",
        *,
        uid: str = "",
        grace_period_seconds: int | None = None,
        propagation_policy: str = "",
    ) -> Object:
        """Delete an object; the one returned is shared with the copy."""
        left = self.api.delete(
            resource,
            name,
            namespace,
            uid=uid,
            grace_period_seconds=grace_period_seconds,
            propagation_policy=propagation_policy,
        )
        return self._written(resource, left, deleted=True)

    def _written(self, resource: str, obj: Object, *, deleted: bool = False) -> Object:
        informer = self._informers.get(resource)
        if informer is None or not informer.synced.is_set():
            return obj
        # The answer to the last write that a deletion waited for looks like any other, so ask.
        if (deleted or "deletionTimestamp" in obj["metadata"]) and not self._exists(resource, obj):
            informer.removed_early(obj)
        else:
            informer.applied(obj)
        return obj

    def _exists(self, resource: str, obj: Object) -> bool:
        try:
            found = self.api.get(resource, obj["metadata"]["name"], obj["metadata"].get("namespace", ""))
        except StatusError as error:
            if error.code != 404:
                raise
            return False
        return bool(found["metadata"]["uid"] == obj["metadata"]["uid"])
