"""Which writes are tracked in `managedFields`, and by whose name.

What a client makes is tracked from its first moment, every write to it by whomever. What the cluster's own
components make is not, until a client applies to it: its Pods would be twice as large for what nobody asks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubetour.embedded import managedfields
from kubetour.embedded.api import Object
from kubetour.embedded.applypatch import claimed_fields
from kubetour.embedded.clock import Clock, rfc3339
from kubetour.embedded.fieldset import FieldSet
from kubetour.embedded.managedfields import APPLY, Manager
from kubetour.embedded.resources import STATUS, Resource
from kubetour.embedded.schema import struct_of

Entries = list[Object]
_OF_KUBELETS = ("nodes", "pods")


def component(resource: Resource, subresource: str) -> Manager:
    """Return the component whose business such a write in this process is."""
    kubelet = subresource == "status" and resource.plural in _OF_KUBELETS
    name = "kubelet" if kubelet else "kube-controller-manager"
    return Manager(name, api_version=resource.api_version, subresource=subresource)


def struct_name(resource: Resource) -> str:
    """Return the name of the struct in which a resource is stored."""
    return struct_of(resource.api_version, resource.kind)


def detach(obj: Object) -> Entries | None:
    """Take the managedFields off an object, and return them; None where it is not tracked."""
    entries: Entries | None = obj["metadata"].pop("managedFields", None)
    return entries


def attach(obj: Object, entries: Entries | None) -> None:
    """Put managedFields on an object, if there are any."""
    if entries:
        obj["metadata"]["managedFields"] = entries


def lightened(obj: Object, change: Callable[[Object], Any], writer: Manager | None) -> Any:
    """Return an object changed, without managedFields that are as they were: decoding them is not cheap."""
    before = obj["metadata"].get("managedFields")
    changed = change(obj)
    if writer is not None and writer.operation == APPLY:
        return changed
    metadata = changed.get("metadata") if isinstance(changed, dict) else None
    if before and isinstance(metadata, dict) and metadata.get("managedFields") == before:
        rest = {key: value for key, value in metadata.items() if key != "managedFields"}
        return {**changed, "metadata": rest}
    return changed


def claim(resource: Resource, obj: Object, writer: Manager | None) -> FieldSet | None:
    """Return what an apply that creates an object claims, without defaults; None for any other write."""
    detach(obj)
    if writer is None or writer.operation != APPLY:
        return None
    return claimed_fields(struct_name(resource), obj)


def created(
    resource: Resource, obj: Object, writer: Manager | None, claimed: FieldSet | None, clock: Clock
) -> Entries | None:
    """Return the managedFields of a new object, before the system adds to it what nobody owns."""
    if writer is None:
        return None
    # A status is not for the creator to write, nor is a Namespace's spec.
    system = {"status"} if STATUS in resource.subresources and resource.plural != "nodes" else set()
    if resource.plural == "namespaces":
        system.add("spec")
    own = {key: value for key, value in obj.items() if key not in system}
    return managedfields.created(struct_name(resource), own, writer, rfc3339(clock.now()), claimed=claimed)


def updated(
    resource: Resource,
    old: Object,
    new: Object,
    before: Entries | None,
    given: Entries | None,
    writer: Manager,
    clock: Clock,
) -> Entries | None:
    """Return the managedFields after an update of an object that had `before`; the client sent `given`.

    An apply has worked them out itself. Else a client may replace them, or end the tracking with [{}].
    """
    if writer.operation == APPLY:
        return given
    if not before and not given:
        return None
    entries = given if given else before or []
    if old == new and entries == before:
        return before
    return managedfields.kept_up(struct_name(resource), old, new, entries, writer, rfc3339(clock.now()))
