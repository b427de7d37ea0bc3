"""The API itself: every verb on every resource, with Kubernetes' rules, over the store. No HTTP here."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from random import SystemRandom
from typing import Any

from kubetour.embedded import admission, apierrors, defaults, deletion, listing, names, strategy, tracking
from kubetour.embedded.allocation import Allocator
from kubetour.embedded.api import Event, Object, ObjectList
from kubetour.embedded.clock import Clock, rfc3339
from kubetour.embedded.decoding import decode, reject_unknown
from kubetour.embedded.deletion import DeleteOptions
from kubetour.embedded.etcd import KeyValue, Store, StoreFullError
from kubetour.embedded.managedfields import Manager
from kubetour.embedded.patch import merge_patch
from kubetour.embedded.resources import Resource, by_plural
from kubetour.embedded.validation import validate_create, validate_update
from kubetour.embedded.watcher import Watcher

Mutation = Callable[[Object], Any]
UnknownCheck = Callable[[Resource, list[str]], None]
SERVICE_IPS = ("127.64.128.1", "127.64.254.254")


# The compact form that is stored and sent. What is decoded contains no circles to look for.
to_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


class Registry:
    """The verbs of `api.API`, for components in this process and for the API server.

    `service_ips` are the first and last address that Services may get.
    """

    def __init__(self, store: Store, clock: Clock, *, service_ips: tuple[str, str] = SERVICE_IPS) -> None:
        self.store = store
        self.clock = clock
        self._random = SystemRandom()
        self._allocator = Allocator(*service_ips, self._random)

    # --- reading

    def get(self, resource: str, name: str, namespace: str = "") -> Object:
        """Return one object."""
        obj: Object = json.loads(self.read(by_plural(resource), name, namespace).value)
        return obj

    def read(self, resource: Resource, name: str, namespace: str = "") -> KeyValue:
        """Return one object as it is stored, as JSON text; 404 if there is none."""
        found = self.find(resource, name, namespace)
        if found is None:
            raise apierrors.not_found(resource, name)
        return found

    def find(self, resource: Resource, name: str, namespace: str = "") -> KeyValue | None:
        """Return one object as it is stored, or None."""
        return self.store.get(_key(resource, namespace, name))

    def list(self, resource: str, namespace: str = "", *, labels: str = "", fields: str = "") -> ObjectList:
        """Return the objects of a namespace, or of all with "", that both selectors match."""
        query = listing.Query(labels=labels, fields=fields)
        page = listing.page(self.store, by_plural(resource), namespace, query)
        return ObjectList([json.loads(value) for value in page.values], str(page.revision))

    async def watch(
        self, resource: str, namespace: str = "", *, resource_version: str, labels: str = "", fields: str = ""
    ) -> AsyncIterator[Event]:
        """Yield every change after that resourceVersion, in order, none twice; 410 where it was compacted."""
        kind = by_plural(resource)
        view = listing.EventView(kind, labels, fields)
        watcher = self.follow(kind, namespace, listing.parse_revision(resource_version))
        try:
            async for change in listing.changes(watcher):
                seen = view.event(change)
                if seen:
                    yield Event(seen[0], change.revision, seen[1])
        finally:
            watcher.close()

    def follow(self, resource: Resource, namespace: str, after: int) -> Watcher:
        """Open the watch on the store that underlies a watch of the API; close it when done."""
        return listing.follow(self.store, resource, namespace, after)

    # --- writing

    def create(self, resource: str, obj: Object, namespace: str = "", *, dry_run: bool = False) -> Object:
        """Store a new object and return it with uid, resourceVersion and defaults."""
        kind = by_plural(resource)
        new, unknown = decode(kind, obj)
        reject_unknown(kind, unknown)
        return self.create_decoded(kind, new, namespace, dry_run=dry_run)

    def create_decoded(
        self,
        resource: Resource,
        new: Object,
        namespace: str = "",
        *,
        dry_run: bool = False,
        writer: Manager | None = None,
    ) -> Object:
        """As `create`, of an object that was decoded already (and now belongs to the registry).

        With a `writer`, a client, it is tracked in managedFields who writes which of its fields.
        """
        metadata = new["metadata"]
        claimed = tracking.claim(resource, new, writer)
        admission.settle_namespace(resource, metadata, namespace)
        if metadata.pop("resourceVersion", ""):
            raise apierrors.bad_request("resourceVersion should not be set on objects to be created")
        base = metadata.get("generateName", "")
        generated = not metadata.get("name") and bool(base)
        if generated:
            prefix = listing.prefix(resource, metadata.get("namespace", ""))
            metadata["name"] = names.free(base, self._random, lambda name: self._has(prefix + name))
        metadata["uid"] = str(uuid.uuid4())
        metadata["creationTimestamp"] = rfc3339(self.clock.now())
        strategy.prepare_for_create(resource, new)
        defaults.apply(resource, new)
        managed = tracking.created(resource, new, writer, claimed, self.clock)
        strategy.complete(resource, new, None)
        errors = validate_create(resource, new)
        name, space = metadata.get("name", ""), metadata.get("namespace", "")
        if not errors and resource.plural == "services":
            errors = self._allocator.allocate(new, self.list("services").items)
        if errors:
            raise apierrors.invalid(resource, name, errors)
        key = _key(resource, space, name)
        if self.store.get(key) is not None:
            raise apierrors.already_exists(resource, name)
        if resource.namespaced:
            admission.admit(resource, new, self.read(by_plural("namespaces"), space), self.store)
        tracking.attach(new, managed)
        return new if dry_run else self._put(key, new, 0)

    def update(self, resource: str, obj: Object, *, subresource: str = "", dry_run: bool = False) -> Object:
        """Replace an object; 409 if its resourceVersion is not the stored one."""
        kind = by_plural(resource)
        new, unknown = decode(kind, obj)
        reject_unknown(kind, unknown)
        metadata = new["metadata"]
        current = self.read(kind, metadata.get("name", ""), metadata.get("namespace", ""))
        return self.update_decoded(kind, new, current, subresource=subresource, dry_run=dry_run)

    def update_decoded(
        self,
        resource: Resource,
        new: Object,
        current: KeyValue,
        *,
        subresource: str = "",
        dry_run: bool = False,
        writer: Manager | None = None,
    ) -> Object:
        """As `update`, of an object that was decoded already, over the stored one.

        The `writer` is a client; with None it is the component whose business such a write is.
        """
        old: Object = json.loads(current.value)
        before, given = tracking.detach(old), tracking.detach(new)
        name = old["metadata"]["name"]
        metadata = new["metadata"]
        if metadata.get("resourceVersion") not in (None, "", str(current.mod_revision)):
            raise apierrors.conflict(resource, name)
        admission.check_uid(resource, old, metadata.get("uid", ""))
        metadata["resourceVersion"] = str(current.mod_revision)
        if "namespace" in old["metadata"]:
            metadata.setdefault("namespace", old["metadata"]["namespace"])
        new = strategy.prepare_for_update(resource, new, old, subresource)
        if not subresource:
            defaults.apply(resource, new)
        writer = writer or tracking.component(resource, subresource)
        managed = tracking.updated(resource, old, new, before, given, writer, self.clock)
        if not subresource:
            strategy.complete(resource, new, old)
        errors = validate_update(resource, new, old, subresource)
        if not errors and resource.plural == "services" and not subresource:
            errors = self._allocator.allocate(new, self.list("services").items)
        if errors:
            raise apierrors.invalid(resource, name, errors)
        unchanged = new == old and managed == before
        tracking.attach(new, managed)
        if dry_run or unchanged:
            return new
        if deletion.may_go(resource, new):
            # Watches are told of what was stored last: with the finalizer whose removal ends it.
            new["metadata"]["resourceVersion"] = self._remove(current, old)["metadata"]["resourceVersion"]
            return new
        return self._put(current.key, new, current.mod_revision)

    def patch(
        self, resource: str, name: str, patch: Object, namespace: str = "", *, subresource: str = ""
    ) -> Object:
        """Apply a JSON merge patch (RFC 7386) and return the result."""
        kind = by_plural(resource)
        return self.modify(
            kind, name, namespace, lambda old: merge_patch(old, patch), subresource=subresource
        )

    def modify(
        self,
        resource: Resource,
        name: str,
        namespace: str,
        change: Mutation,
        *,
        subresource: str = "",
        dry_run: bool = False,
        check_unknown: UnknownCheck = reject_unknown,
        writer: Manager | None = None,
    ) -> Object:
        """Read, change and write back: what every kind of patch is."""
        current = self.read(resource, name, namespace)
        new, unknown = decode(resource, tracking.lightened(json.loads(current.value), change, writer))
        check_unknown(resource, unknown)
        for field in ("name", "namespace"):
            if new["metadata"].get(field, "") != ({"name": name, "namespace": namespace}[field]):
                raise admission.misplaced(field, new["metadata"].get(field, ""), name)
        return self.update_decoded(
            resource, new, current, subresource=subresource, dry_run=dry_run, writer=writer
        )

    def bind(self, namespace: str, pod: str, node: str) -> Object:
        """Assign a Pod to a node, as POST pods/NAME/binding does, and return the Pod."""
        resource = by_plural("pods")
        current = self.read(resource, pod, namespace)
        bound = strategy.bind(json.loads(current.value), node, rfc3339(self.clock.now()))
        return self._put(current.key, bound, current.mod_revision)

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
        """Delete an object: at once, or by setting its deletionTimestamp if something stands in the way."""
        options = DeleteOptions(grace_period_seconds, propagation_policy, uid)
        return self.delete_with(by_plural(resource), name, namespace, options)[0]

    def delete_with(
        self,
        resource: Resource,
        name: str,
        namespace: str,
        options: DeleteOptions,
        *,
        dry_run: bool = False,
    ) -> tuple[Object, bool]:
        """Delete an object; return it as it is now, and whether it is gone."""
        current = self.read(resource, name, namespace)
        obj: Object = json.loads(current.value)
        admission.check_deletable(resource, obj, current.mod_revision, options)
        marked = deletion.mark(resource, obj, options, self.clock.now())
        gone = marked is None or deletion.may_go(resource, marked)
        if dry_run or marked == obj:
            return marked or obj, gone
        if marked is not None:
            obj = self._put(current.key, marked, current.mod_revision)
            current = current._replace(mod_revision=self.store.revision)
        return (self._remove(current, obj) if gone else obj), gone

    # --- helpers

    def _has(self, key: str) -> bool:
        return self.store.get(key) is not None

    def _put(self, key: str, obj: Object, expected: int) -> Object:
        obj["metadata"]["resourceVersion"] = str(self.store.revision + 1)
        with _told():
            self.store.put(key, to_json(obj), expected)
        return obj

    def _remove(self, current: KeyValue, obj: Object) -> Object:
        obj["metadata"]["resourceVersion"] = str(self.store.revision + 1)
        with _told():
            self.store.delete(current.key, to_json(obj), current.mod_revision)
        return obj


@contextmanager
def _told() -> Iterator[None]:
    """Tell of a store without room as an API server does when its etcd has none: as an internal error."""
    try:
        yield
    except StoreFullError as error:
        raise apierrors.internal_error(str(error)) from error


def _key(resource: Resource, namespace: str, name: str) -> str:
    return f"{listing.prefix(resource, namespace)}{name}"
