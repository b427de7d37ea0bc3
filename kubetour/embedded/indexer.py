"""The objects of one resource as last seen, by key and by index, with handlers that hear of every change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import NamedTuple

from kubetour.embedded.api import Object, ObjectList

Handler = Callable[["Object | None", "Object | None"], None]
IndexFunction = Callable[[Object], Iterable[object]]


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
        self._written: set[int] = set()
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
        for key, obj in self._objects.items():
            self._place(name, key, function(obj), obj)

    def add_handler(self, handler: Handler) -> None:
        """Call a function at every change, and first for every object that is there."""
        self._handlers.append(handler)
        for obj in self.all():
            handler(None, obj)

    def remove_handler(self, handler: Handler) -> None:
        """Call a function no more; one that was never to be called is fine."""
        self._handlers = [each for each in self._handlers if each != handler]

    def applied(self, obj: Object) -> bool:
        """Take in an object as it is now; False for one not newer than what is known."""
        key, revision = key_of(obj), int(obj["metadata"]["resourceVersion"])
        old = self._objects.get(key)
        known = int(old["metadata"]["resourceVersion"]) if old else self._gone.get(key, 0)
        if revision <= known:
            return False
        self._gone.pop(key, None)
        self._objects[key] = obj
        for name, function in self._functions.items():
            values = tuple(function(obj))
            if old is not None and values != (before := tuple(function(old))):
                self._displace(name, key, before)
            self._place(name, key, values, obj)
        for handler in self._handlers:
            handler(old, obj)
        return True

    def written(self, obj: Object) -> None:
        """As `applied`, of what this process has just written: when the watch tells of it, it is known."""
        if self.applied(obj):
            self._written.add(int(obj["metadata"]["resourceVersion"]))

    def is_known(self, revision: int) -> bool:
        """Tell whether what the watch now tells of a revision came by `written` (it tells it once)."""
        if revision not in self._written:
            return False
        self._written.remove(revision)
        return True

    def removed(self, obj: Object) -> None:
        """Take out an object that was deleted at its resourceVersion."""
        key, revision = key_of(obj), int(obj["metadata"]["resourceVersion"])
        if self._gone.get(key) == revision:
            del self._gone[key]
            return
        old = self._objects.get(key)
        if old is None or int(old["metadata"]["resourceVersion"]) > revision:
            return
        self._forget(key, old)
        for handler in self._handlers:
            handler(old, None)

    def removed_early(self, obj: Object) -> None:
        """As `removed`, before the watch tells it: what the watch still says of that time is ignored."""
        self.removed(obj)
        self._gone[key_of(obj)] = int(obj["metadata"]["resourceVersion"])

    def replace(self, found: ObjectList) -> None:
        """Take in a whole list: what is not in it is gone."""
        self._gone.clear()
        self._written.clear()
        present = {key_of(obj) for obj in found.items}
        for key in [key for key in self._objects if key not in present]:
            old = self._objects[key]
            self._forget(key, old)
            for handler in self._handlers:
                handler(old, None)
        for obj in found.items:
            self.applied(obj)

    def _forget(self, key: Key, old: Object) -> None:
        del self._objects[key]
        for name, function in self._functions.items():
            self._displace(name, key, function(old))

    def _place(self, name: str, key: Key, values: Iterable[object], obj: Object) -> None:
        for value in values:
            self._indexes[name].setdefault(value, {})[key] = obj

    def _displace(self, name: str, key: Key, values: Iterable[object]) -> None:
        index = self._indexes[name]
        for value in values:
            entries = index.get(value)
            if entries is not None:
                entries.pop(key, None)
                if not entries:
                    del index[value]
