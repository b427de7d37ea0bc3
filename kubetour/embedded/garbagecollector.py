"""The garbage collector: what an object's end means for those it owns.

`GarbageCollector(api: Informers, clock: Clock)`. Background: dependents follow when the owner is gone.
Foreground: the owner waits (finalizer `foregroundDeletion`) for the dependents that block it. Orphan: they
are set free first (finalizer `orphan`). After pkg/controller/garbagecollector of Kubernetes, whose graph is
here an index of the caches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.clock import Clock
from kubetour.embedded.controller import Controller, Informer, Informers
from kubetour.embedded.deletion import FOREGROUND, ORPHAN
from kubetour.embedded.resources import RESOURCES, by_plural

# Events refer to nothing that could own them, and are many.
_IGNORED = ("events",)
_OWNER_INDEX = "owner"


class Item(NamedTuple):
    """One object, of any resource."""

    resource: str
    namespace: str
    name: str


def _owner_uids(obj: Object) -> Iterable[object]:
    return [reference["uid"] for reference in obj["metadata"].get("ownerReferences") or ()]


def _finalizers(obj: Object) -> list[str]:
    return list(obj["metadata"].get("finalizers") or ())


def _waits_for_dependents(owner: Object) -> bool:
    return "deletionTimestamp" in owner["metadata"] and FOREGROUND in _finalizers(owner)


class GarbageCollector(Controller[Item]):
    """Follows every resource that can be deleted."""

    def __init__(self, api: Informers, clock: Clock) -> None:
        super().__init__(api, clock)
        self._kinds: dict[tuple[str, str], str] = {}
        self._informers: dict[str, Informer] = {}
        for resource in RESOURCES:
            plural = resource.plural
            if plural in _IGNORED or not {"list", "watch", "delete"} <= set(resource.verbs):
                continue
            self._kinds[resource.group, resource.kind] = plural
            self._informers[plural] = self._follow(plural)

    def _follow(self, plural: str) -> Informer:
        informer = self.follow(plural)
        informer.add_index(_OWNER_INDEX, _owner_uids)
        informer.add_handler(lambda old, new: self._changed(plural, old, new))
        return informer

    def _changed(self, plural: str, old: Object | None, new: Object | None) -> None:
        if new is not None:
            metadata = new["metadata"]
            marked = "deletionTimestamp" in metadata and metadata.get("finalizers")
            references = metadata.get("ownerReferences")
            before = old["metadata"].get("ownerReferences") if old else None
            if marked or (references and references != before):
                self.queue.add(_item(plural, new))
        elif old is not None:
            for item, _ in self._dependents(old):
                self.queue.add(item)
        if old is not None and old["metadata"].get("ownerReferences"):
            # An owner may be waiting for this one.
            for reference in old["metadata"]["ownerReferences"]:
                owner = self._cached_owner(reference, old)
                if owner and _waits_for_dependents(owner[1]):
                    self.queue.add(owner[0])

    def sync(self, key: Item) -> None:
        """Decide about one object: as an owner on its way out, or as a dependent whose owners may be gone."""
        obj = self._informers[key.resource].get(key.namespace, key.name)
        if obj is None:
            return
        if "deletionTimestamp" in obj["metadata"]:
            self._finish(key, obj)
        elif obj["metadata"].get("ownerReferences"):
            self._judge(key, obj)

    # --- as an owner

    def _finish(self, item: Item, owner: Object) -> None:
        if ORPHAN in _finalizers(owner):
            for dependent, obj in list(self._dependents(owner)):
                self._drop_references(dependent, obj, {owner["metadata"]["uid"]})
            self._drop_finalizer(item, owner, ORPHAN)
        elif FOREGROUND in _finalizers(owner):
            waiting = False
            for dependent, obj in list(self._dependents(owner)):
                waiting |= self._blocks(owner, obj)
                if "deletionTimestamp" not in obj["metadata"]:
                    self.queue.add(dependent)
            if not waiting:
                self._drop_finalizer(item, owner, FOREGROUND)

    @staticmethod
    def _blocks(owner: Object, dependent: Object) -> bool:
        return any(
            reference["uid"] == owner["metadata"]["uid"] and reference.get("blockOwnerDeletion")
            for reference in dependent["metadata"].get("ownerReferences") or ()
        )

    def _dependents(self, owner: Object) -> Iterator[tuple[Item, Object]]:
        uid = owner["metadata"]["uid"]
        for plural, informer in self._informers.items():
            for obj in informer.by(_OWNER_INDEX, uid):
                yield _item(plural, obj), obj

    # --- as a dependent

    def _judge(self, item: Item, obj: Object) -> None:
        """Delete a dependent without a living owner; of several owners, forget those that are gone."""
        gone: set[str] = set()
        waiting: set[str] = set()
        solid: set[str] = set()
        for reference in obj["metadata"]["ownerReferences"]:
            owner = self._owner(reference, obj)
            group = gone if owner is None else waiting if _waits_for_dependents(owner) else solid
            group.add(reference["uid"])
        if not gone and not waiting:
            return
        if solid:
            self._drop_references(item, obj, gone | waiting)
            return
        dependents = [one for _, one in self._dependents(obj)]
        if waiting and any(_waits_for_dependents(one) for one in dependents):
            # A circle of owners would wait for one another for ever.
            self._unblock_owners(item, obj)
        self._delete(item, obj, "Foreground" if waiting and dependents else _own_policy(obj))

    def _cached_owner(self, reference: Object, dependent: Object) -> tuple[Item, Object] | None:
        plural = self._plural(reference)
        if plural is None:
            return None
        namespace = dependent["metadata"].get("namespace", "") if by_plural(plural).namespaced else ""
        found = self._informers[plural].get(namespace, reference["name"])
        if found is None or found["metadata"]["uid"] != reference["uid"]:
            return None
        return _item(plural, found), found

    def _owner(self, reference: Object, dependent: Object) -> Object | None:
        """Return the owner, None if it is gone, _UNKNOWN if that cannot be told."""
        cached = self._cached_owner(reference, dependent)
        if cached:
            return cached[1]
        plural = self._plural(reference)
        if plural is None:
            return _UNKNOWN
        namespace = dependent["metadata"].get("namespace", "") if by_plural(plural).namespaced else ""
        try:
            # The caches of two resources are not equally new, so ask before calling somebody dead.
            found = self.api.get(plural, reference["name"], namespace)
        except StatusError as error:
            if error.code != 404:
                raise
            return None
        return found if found["metadata"]["uid"] == reference["uid"] else None

    def _plural(self, reference: Object) -> str | None:
        group, _, _ = reference["apiVersion"].rpartition("/")
        return self._kinds.get((group, reference["kind"]))

    # --- writing

    def _delete(self, item: Item, obj: Object, policy: str) -> None:
        try:
            self.api.delete(
                item.resource,
                item.name,
                item.namespace,
                uid=obj["metadata"]["uid"],
                propagation_policy=policy,
            )
        except StatusError as error:
            if error.code != 404:
                raise

    def _drop_references(self, item: Item, obj: Object, uids: set[str]) -> None:
        kept = [one for one in obj["metadata"]["ownerReferences"] if one["uid"] not in uids]
        self._patch(item, obj, "ownerReferences", kept)

    def _unblock_owners(self, item: Item, obj: Object) -> None:
        free = [{**one, "blockOwnerDeletion": False} for one in obj["metadata"]["ownerReferences"]]
        self._patch(item, obj, "ownerReferences", free)

    def _drop_finalizer(self, item: Item, obj: Object, finalizer: str) -> None:
        self._patch(item, obj, "finalizers", [name for name in _finalizers(obj) if name != finalizer])

    def _patch(self, item: Item, obj: Object, field: str, value: object) -> None:
        metadata = obj["metadata"]
        precondition = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
        patch = {"metadata": {**precondition, field: value}}
        self.api.patch(item.resource, item.name, patch, item.namespace)


# Stands for an owner of a kind that this cluster does not know, which is nobody's to judge.
_UNKNOWN: Object = {"metadata": {}}


def _own_policy(obj: Object) -> str:
    """Return the policy that an object's own finalizers ask for."""
    if ORPHAN in _finalizers(obj):
        return "Orphan"
    return "Foreground" if FOREGROUND in _finalizers(obj) else "Background"


def _item(plural: str, obj: Object) -> Item:
    metadata = obj["metadata"]
    return Item(plural, metadata.get("namespace", ""), metadata["name"])
