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

    def remove_handler(self, handler: Handler) -> None:
        """Call a function no more; one that was never to be called is fine."""
        self._handlers = [each for each in self._handlers if each != handler]

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
