"""Strategic merge patch: a merge patch that knows which lists are sets of named things.

The rules of k8s.io/apimachinery/pkg/util/strategicpatch; which field merges by which key is the API's own
`patchStrategy` and `patchMergeKey`, given here by struct.
"""

from __future__ import annotations

import re
from typing import Any

from kubetour.embedded.api import StatusError
from kubetour.embedded.apierrors import bad_request
from kubetour.embedded.fielderrors import invalid
from kubetour.embedded.schema import structs

# (struct, field) -> merge key; "" for a list of plain values. Lists that are not here are replaced whole.
_MERGE_KEYS: dict[tuple[str, str], str] = {
    ("V1Container", "env"): "name",
    ("V1Container", "ports"): "containerPort",
    ("V1Container", "volumeDevices"): "devicePath",
    ("V1Container", "volumeMounts"): "mountPath",
    ("V1EphemeralContainer", "env"): "name",
    ("V1EphemeralContainer", "ports"): "containerPort",
    ("V1EphemeralContainer", "volumeMounts"): "mountPath",
    ("V1NodeSpec", "podCIDRs"): "",
    ("V1NodeStatus", "addresses"): "type",
    ("V1ObjectMeta", "finalizers"): "",
    ("V1ObjectMeta", "ownerReferences"): "uid",
    ("V1PodSpec", "containers"): "name",
    ("V1PodSpec", "ephemeralContainers"): "name",
    ("V1PodSpec", "hostAliases"): "ip",
    ("V1PodSpec", "imagePullSecrets"): "name",
    ("V1PodSpec", "initContainers"): "name",
    ("V1PodSpec", "resourceClaims"): "name",
    ("V1PodSpec", "schedulingGates"): "name",
    ("V1PodSpec", "topologySpreadConstraints"): "topologyKey",
    ("V1PodSpec", "volumes"): "name",
    ("V1PodStatus", "hostIPs"): "ip",
    ("V1PodStatus", "podIPs"): "ip",
    ("V1ServiceAccount", "imagePullSecrets"): "name",
    ("V1ServiceAccount", "secrets"): "name",
    ("V1ServiceSpec", "ports"): "port",
}
_DIRECTIVE, _RETAIN = "$patch", "$retainKeys"
_ORDER, _DELETE = "$setElementOrder/", "$deleteFromPrimitiveList/"


def merge_key(struct: str, field: str) -> str | None:
    """Return the key by which a list merges, "" for a set of plain values, None for one that is replaced."""
    if field == "conditions" and struct.endswith("Status"):
        return "type"
    return _MERGE_KEYS.get((struct, field))


def strategic_merge_patch(struct: str, target: Any, patch: Any) -> Any:
    """Return an object of a struct after a strategic merge patch; neither argument is changed."""
    if not isinstance(patch, dict) or not isinstance(target, dict):
        return _plain(struct, patch)
    directive = patch.get(_DIRECTIVE)
    if directive == "replace":
        return _plain(struct, {key: value for key, value in patch.items() if key != _DIRECTIVE})
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise bad_request(f"unknown patch directive: {directive}")
    retained = patch.get(_RETAIN)
    result = {key: value for key, value in target.items() if retained is None or key in retained}
    for key in [key for key in patch if key.startswith(_DELETE)]:
        field = key.removeprefix(_DELETE)
        result[field] = [item for item in result.get(field) or [] if item not in patch[key]]
    for key, value in patch.items():
        if key.startswith("$"):
            continue
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _field(struct, key, result.get(key), value, patch.get(_ORDER + key))
    for key in [key for key in patch if key.startswith(_ORDER)]:
        field = key.removeprefix(_ORDER)
        if field not in patch and isinstance(result.get(field), list):
            result[field] = _ordered(result[field], patch[key], merge_key(struct, field) or "")
    return result


def _field(struct: str, field: str, present: Any, value: Any, order: Any) -> Any:
    kind = structs().get(struct, {}).get(field, "")
    if isinstance(value, list):
        key = merge_key(struct, field)
        if key is None:
            return _plain(kind.removeprefix("[]"), value)
        inner = kind.removeprefix("[]")
        present = present if isinstance(present, list) else []
        merged = _set(present, value) if key == "" else _list(inner, key, present, value)
        return _ordered(merged, order, key) if order else merged
    if isinstance(value, dict):
        return strategic_merge_patch(kind, present if isinstance(present, dict) else {}, value)
    return value


def _set(present: list[Any], added: list[Any]) -> list[Any]:
    return [*present, *(item for item in added if item not in present)]


def _list(struct: str, key: str, present: list[Any], patches: list[Any]) -> list[Any]:
    """Merge a list of objects that a key tells apart."""
    if any(isinstance(item, dict) and item.get(_DIRECTIVE) == "replace" for item in patches):
        return [_plain(struct, item) for item in patches if _DIRECTIVE not in item]
    result = list(present)
    for patch in patches:
        if not isinstance(patch, dict) or key not in patch:
            raise bad_request(f"map: {patch} does not contain declared merge key: {key}")
        places = [i for i, item in enumerate(result) if item.get(key) == patch[key]]
        if patch.get(_DIRECTIVE) == "delete":
            result = [item for i, item in enumerate(result) if i not in places]
        elif places:
            result[places[0]] = strategic_merge_patch(struct, result[places[0]], patch)
        else:
            result.append(_plain(struct, patch))
    return result


def _ordered(items: list[Any], order: list[Any], key: str) -> list[Any]:
    """Sort by the order the patch asks for; what only the server has stays after its predecessor."""
    wanted = [item.get(key) if key and isinstance(item, dict) else item for item in order]
    rank = {value: index for index, value in enumerate(wanted)}
    ranks: list[float] = []
    last = -0.5
    for item in items:
        name = item.get(key) if key else item
        last = rank.get(name, last)
        ranks.append(last)
    return [item for _, item in sorted(zip(ranks, items, strict=True), key=lambda pair: pair[0])]


def _plain(struct: str, value: Any) -> Any:
    """Return a patch's value as it is with nothing to merge it into: without directives and nulls."""
    if isinstance(value, dict):
        if value.get(_DIRECTIVE) == "delete":
            return {}
        return {
            key: _plain("", item)
            for key, item in value.items()
            if not key.startswith("$") and item is not None
        }
    if isinstance(value, list):
        return [
            _plain(struct, item)
            for item in value
            if not (isinstance(item, dict) and item.get(_DIRECTIVE) == "delete")
        ]
    return value


_UNMARSHAL = re.compile(r"json: cannot unmarshal (\w+) into Go struct field \S+ of type (\S+)$")


def strategic_error(error: StatusError, patch: Any) -> StatusError:
    """Return an error as a strategic merge patch has it, whose values are of a wrong type in its own words.

    k8s.io/apimachinery/pkg/runtime/converter.go, which no other patch goes through.
    """
    match = _UNMARSHAL.search(error.message) if error.code == 400 else None
    if match is None:
        return error
    given, wanted = match.groups()
    if wanted.startswith("[]"):
        why = f"cannot restore slice from {given}"
    elif wanted.startswith("map["):
        why = f"cannot restore map from {given}"
    elif "." in wanted:
        why = f"cannot restore struct from: {given}"
    else:
        why = f"unrecognized type: {wanted}" if given != "number" else f"cannot convert int64 to {wanted}"
    cause = invalid("patch", _go(patch), why)
    return StatusError(422, "Invalid", f' "" is invalid: {cause}', {"causes": [cause.cause()]})


def _go(value: Any) -> str:
    """Return a value as Go's %+v has it."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_go(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(_go, value))}]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)
