"""Who wrote which field: `metadata.managedFields`, kept up with every write (apimachinery's managedfields).

A manager is told apart by its name, its operation (Apply or Update), the API version it writes with, and the
subresource it writes to. An object without managedFields is not tracked until something is applied to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.fieldset import FieldSet, children, difference, intersection, paths, union
from kubetour.embedded.fieldtypes import struct_type
from kubetour.embedded.typedvalue import compare

APPLY, UPDATE = "Apply", "Update"
BEFORE_FIRST_APPLY = "before-first-apply"
_ANCIENT, _MOST_UPDATERS = "ancient-changes", 10
# What nobody owns: it tells the object apart, or only the system sets it.
_UNOWNED_METADATA = frozenset(
    f"f:{field}"
    for field in (
        "creationTimestamp",
        "generation",
        "managedFields",
        "name",
        "namespace",
        "resourceVersion",
        "selfLink",
        "uid",
    )
)
# An object that does not exist yet has, in Go, these already: structs that are no pointers.
_PRESENT: Object = {
    "metadata": {},
    "spec": {
        "strategy": {},
        "updateStrategy": {},
        "template": {"metadata": {}, "spec": {"containers": []}},
    },
    "status": {},
}


@dataclass(frozen=True)
class Manager:
    """One writer, as conflicts are told apart by it; an applier's API version does not matter."""

    name: str
    operation: str = UPDATE
    api_version: str = ""
    subresource: str = ""

    def __str__(self) -> str:
        """Return the words of a conflict's message."""
        of = f' with subresource "{self.subresource}"' if self.subresource else ""
        return f'"{self.name}"{of}' + (f" using {self.api_version}" if self.operation == UPDATE else "")


@dataclass(frozen=True)
class Fields:
    """What one manager owns, when it last changed that (RFC 3339), and the API version it spoke."""

    set: FieldSet
    time: str
    api_version: str


Managers = dict[Manager, Fields]


def read(entries: Iterable[Object]) -> Managers:
    """Return the managers of an object's managedFields."""
    found: Managers = {}
    for entry in entries:
        version = entry.get("apiVersion", "")
        operation = entry.get("operation", "")
        manager = Manager(
            entry.get("manager", ""),
            operation,
            version if operation == UPDATE else "",
            entry.get("subresource", ""),
        )
        fields = entry.get("fieldsV1")
        if fields and isinstance(fields, dict):
            found[manager] = Fields(fields, entry.get("time") or "", version)
    return found


def write(managers: Managers) -> list[Object]:
    """Return managers as an object's managedFields, in the order in which Kubernetes writes them."""
    entries = []
    for manager, fields in sorted(_capped(managers).items(), key=_rank):
        entry: Object = {
            "manager": manager.name,
            "operation": manager.operation,
            "apiVersion": fields.api_version,
            "time": fields.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": fields.set,
            "subresource": manager.subresource,
        }
        entries.append({key: value for key, value in entry.items() if value != ""})
    return entries


def _rank(item: tuple[Manager, Fields]) -> tuple[str, ...]:
    manager, fields = item
    return (manager.operation, fields.time, manager.name, fields.api_version, manager.subresource)


def _capped(managers: Managers) -> Managers:
    """Count the oldest updaters as one where there are too many."""
    updaters = [item for item in managers.items() if item[0].operation == UPDATE]
    spare = len(updaters) - _MOST_UPDATERS
    if spare <= 0:
        return managers
    result = dict(managers)
    for manager, fields in sorted(updaters, key=_rank)[: spare + 1]:
        del result[manager]
        oldest = Manager(_ANCIENT, UPDATE, fields.api_version)
        known = result.get(oldest)
        both = union(known.set, fields.set) if known else fields.set
        result[oldest] = Fields(both, fields.time, fields.api_version)
    return result


def owned(fields: FieldSet) -> FieldSet:
    """Return a set of fields without those that nobody owns."""
    kept = {key: node for key, node in fields.items() if key not in ("f:apiVersion", "f:kind", "f:metadata")}
    inner = children(fields.get("f:metadata", {}))
    metadata = {key: node for key, node in inner.items() if key not in _UNOWNED_METADATA}
    return {"f:metadata": metadata, **kept} if metadata else kept


def blank(obj: Object) -> Object:
    """Return what an object counts as before it is created: the empty structs that it will fill."""

    def part(have: Mapping[str, Any], empty: Object) -> Object:
        return {
            key: part(have[key], value) if isinstance(value, dict) else value
            for key, value in empty.items()
            if key in have and isinstance(have[key], type(value))
        }

    return part(obj, _PRESENT)


def changes(struct: str, old: Object, new: Object) -> tuple[FieldSet, FieldSet]:
    """Return the fields that a write set or changed, and those that it removed, without unowned ones."""
    changed, removed = compare(struct_type(struct), old, new)
    return owned(changed), owned(removed)


def without(managers: Managers, fields: FieldSet, *, but: Manager | None = None) -> Managers:
    """Return the managers, all (or all but one) without some fields, and only those that own any then."""
    result: Managers = {}
    for manager, mine in managers.items():
        left = mine.set if manager == but else difference(mine.set, fields)
        if left:
            result[manager] = mine if left == mine.set else Fields(left, mine.time, mine.api_version)
    return result


def updated(struct: str, old: Object, new: Object, managers: Managers, writer: Manager, now: str) -> Managers:
    """Return the managers after an update: the writer owns what it changed, and nobody what it removed."""
    changed, removed = changes(struct, old, new)
    result = without(managers, union(changed, removed))
    if changed:
        known = result.get(writer)
        mine = union(known.set, changed) if known else changed
        result[writer] = Fields(mine, now, writer.api_version)
    return result


def conflicts(managers: Managers, applier: Manager, changed: FieldSet) -> dict[Manager, FieldSet]:
    """Return, by manager, what others own of the fields that an apply would change."""
    found = {m: intersection(fields.set, changed) for m, fields in managers.items() if m != applier}
    return {manager: fields for manager, fields in found.items() if fields}


def conflict_error(found: Mapping[Manager, FieldSet]) -> StatusError:
    """Return the 409 of an apply: its message and causes name every field and who owns it."""
    listed = [(manager, path) for manager, fields in found.items() for path in paths(fields)]
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {manager}", "field": path}
        for manager, path in listed
    ]
    if len(listed) == 1:
        message = f"Apply failed with 1 conflict: conflict with {listed[0][0]}: {listed[0][1]}"
    else:
        lines = []
        for manager in sorted(found, key=str):
            lines += [f"conflicts with {manager}:", *(f"- {path}" for path in paths(found[manager]))]
        message = f"Apply failed with {len(listed)} conflicts: " + "\n".join(lines)
    return StatusError(409, "Conflict", message, {"causes": causes})


def created(
    struct: str, obj: Object, writer: Manager, now: str, *, claimed: FieldSet | None = None
) -> list[Object]:
    """Return the managedFields of a new object: of all it has, or of what an apply claimed."""
    fields = changes(struct, blank(obj), obj)[0] if claimed is None else claimed
    return write({writer: Fields(fields, now, obj["apiVersion"])}) if fields else []


def kept_up(
    struct: str, old: Object, new: Object, entries: list[Object], writer: Manager, now: str
) -> list[Object]:
    """Return an object's managedFields after an update."""
    return write(updated(struct, old, new, read(entries), writer, now))
