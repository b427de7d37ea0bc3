"""Server-side apply: an object's wanted part is merged in, and each field has its managers.

The rules of structured-merge-diff's merge.Updater and of apimachinery's managers around it. Objects are plain
JSON dictionaries in the form in which they are stored.
"""

from __future__ import annotations

import json
from functools import reduce

from kubetour.embedded import managedfields
from kubetour.embedded.api import Object
from kubetour.embedded.decoder import DecodeError, decoder
from kubetour.embedded.fieldset import FieldSet, difference, union
from kubetour.embedded.fieldtypes import struct_type
from kubetour.embedded.managedfields import BEFORE_FIRST_APPLY, Fields, Manager, Managers
from kubetour.embedded.typedvalue import equal_members, field_set, merge, prune

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_KUBECTL = "kubectl"  # only kubectl's own default name takes over from `kubectl apply` without --server-side


def claimed_fields(struct: str, config: Object) -> FieldSet:
    """Return the fields that an apply configuration claims for its manager."""
    return managedfields.owned(field_set(struct_type(struct), config))


def apply(
    struct: str, live: Object, config: Object, applier: Manager, now: str, *, force: bool = False
) -> Object:
    """Return the live object with a configuration applied, its managedFields included.

    Raises the 409 of a conflict if other managers own what would change, unless `force`.
    """
    kind = struct_type(struct)
    entries = live["metadata"].get("managedFields") or []
    present = _without_managers(live)
    managers = managedfields.read(entries) or _before_first_apply(struct, present, now)
    claimed = claimed_fields(struct, config)
    after: Managers = {**managers, applier: Fields(claimed, now, config["apiVersion"])}
    last = managers.get(applier)
    result = merge(kind, present, config)
    if last:
        owned = reduce(union, (fields.set for fields in after.values()), field_set(kind, config))
        result = prune(kind, result, last.set, owned)
    changed, removed = managedfields.changes(struct, present, result)
    found = managedfields.conflicts(after, applier, changed)
    if applier.name == _KUBECTL and found:
        allowed = _last_applied_fields(struct, present)
        left = {manager: difference(fields, allowed) for manager, fields in found.items()}
        found = {manager: fields for manager, fields in left.items() if fields}
    if found and not force:
        raise managedfields.conflict_error(found)
    after = managedfields.without(after, changed, but=applier)
    after = managedfields.without(after, removed)
    if last and last.set == claimed and not changed and not removed:
        after[applier] = last  # nothing new: the time of the last apply stays
    if applier.name == _KUBECTL:
        result = _renew_last_applied(result, config)
    return {**result, "metadata": {**result["metadata"], "managedFields": managedfields.write(after)}}


def _without_managers(obj: Object) -> Object:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": metadata}


def _before_first_apply(struct: str, live: Object, now: str) -> Managers:
    """Return who owns an object that was not tracked: one manager, of all that it has."""
    changed, _ = managedfields.changes(struct, managedfields.blank(live), live)
    manager = Manager(BEFORE_FIRST_APPLY, api_version=live["apiVersion"])
    return {manager: Fields(changed, now, live["apiVersion"])} if changed else {}


def _last_applied_fields(struct: str, live: Object) -> FieldSet:
    """Return what an earlier `kubectl apply` without --server-side set and what is still as it set it.

    That is kubectl's own, whoever is written down as its manager, so it may go over to an apply by kubectl.
    """
    text = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED, "")
    try:
        config = decoder(struct)(json.loads(text), [])
    except (ValueError, AttributeError, DecodeError):
        return {}
    kind = struct_type(struct)
    return equal_members(kind, config, live, field_set(kind, config))


def _renew_last_applied(obj: Object, config: Object) -> Object:
    """Keep the annotation true where there is one, for a kubectl that applies on its own side next."""
    annotations = obj["metadata"].get("annotations") or {}
    if LAST_APPLIED not in annotations:
        return obj
    own = {**config, "metadata": dict(config["metadata"])}
    listed = own["metadata"].pop("annotations", {})
    if kept := {key: value for key, value in listed.items() if key != LAST_APPLIED}:
        own["metadata"]["annotations"] = kept
    text = json.dumps(own, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"
    return {**obj, "metadata": {**obj["metadata"], "annotations": {**annotations, LAST_APPLIED: text}}}
