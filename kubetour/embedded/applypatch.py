"""Server-side apply, simplified: what is applied is merged in; who owns which field is not kept.

So a field that one apply sets and the next leaves out stays as it is, and managers never conflict.
Lists that the API declares as maps merge by all of their keys (`x-kubernetes-list-map-keys`).
"""

from __future__ import annotations

from typing import Any

from kubetour.embedded.schema import structs
from kubetour.embedded.strategicpatch import merge_key

_KEYS = {
    ("V1Container", "ports"): ("containerPort", "protocol"),
    ("V1ServiceSpec", "ports"): ("port", "protocol"),
    ("V1PodSpec", "topologySpreadConstraints"): ("topologyKey", "whenUnsatisfiable"),
}
_KEY_DEFAULTS = {"protocol": "TCP"}


def apply_configuration(struct: str, present: Any, applied: Any) -> Any:
    """Return an object of a struct with an apply configuration merged in; neither argument is changed."""
    if not isinstance(applied, dict) or not isinstance(present, dict):
        return applied
    fields = structs().get(struct, {})
    result = dict(present)
    for field, value in applied.items():
        kind = fields.get(field, "")
        if isinstance(value, list):
            result[field] = _list(struct, field, kind.removeprefix("[]"), result.get(field) or [], value)
        elif isinstance(value, dict):
            result[field] = apply_configuration(kind, result.get(field) or {}, value)
        elif value is not None:
            result[field] = value
    return result


def _list(struct: str, field: str, kind: str, present: list[Any], applied: list[Any]) -> list[Any]:
    single = merge_key(struct, field)
    if single is None:
        return applied
    if single == "":
        return [*present, *(item for item in applied if item not in present)]
    keys = _KEYS.get((struct, field), (single,))
    merged = {_identity(item, keys): item for item in present}
    for item in applied:
        identity = _identity(item, keys)
        merged[identity] = apply_configuration(kind, merged.get(identity, {}), item)
    return list(merged.values())


def _identity(item: Any, keys: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(item.get(key, _KEY_DEFAULTS.get(key)) for key in keys) if isinstance(item, dict) else (item,)
