"""What server-side apply must know of a field: whether it is one value, what tells a list's items apart.

The API declares that as x-kubernetes-list-type, x-kubernetes-list-map-keys and x-kubernetes-map-type. Most
lists are as strategic merge patch has them; the tables here are where the two differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from kubetour.embedded.schema import structs
from kubetour.embedded.strategicpatch import merge_key

# Lists of which one key alone does not tell the items apart.
_KEYS = {
    ("V1Container", "ports"): ("containerPort", "protocol"),
    ("V1EphemeralContainer", "ports"): ("containerPort", "protocol"),
    ("V1ServiceSpec", "ports"): ("port", "protocol"),
    ("V1PodSpec", "topologySpreadConstraints"): ("topologyKey", "whenUnsatisfiable"),
    ("V1ResourceRequirements", "claims"): ("name",),
}
KEY_DEFAULTS = {"protocol": "TCP"}
# Structs and fields that are written whole or not at all (x-kubernetes-map-type and list-type: atomic).
_ATOMIC_STRUCTS = frozenset(
    {
        "V1ConfigMapKeySelector",
        "V1LabelSelector",
        "V1LocalObjectReference",
        "V1NodeSelector",
        "V1NodeSelectorTerm",
        "V1ObjectFieldSelector",
        "V1ObjectReference",
        "V1OwnerReference",
        "V1ResourceFieldSelector",
        "V1RoleRef",
        "V1SecretKeySelector",
        "V1SecretReference",
        "V1TypedLocalObjectReference",
        "V2CrossVersionObjectReference",
    }
)
_ATOMIC_FIELDS = frozenset(
    {
        ("V1JobStatus", "conditions"),
        ("V1PodSpec", "nodeSelector"),
        ("V1PodStatus", "hostIPs"),
        ("V1ServiceAccount", "imagePullSecrets"),
        ("V1ServiceSpec", "selector"),
    }
)


@dataclass(frozen=True)
class FieldType:
    """One field's type. `element` is a struct's name, or the type of what a map or list holds."""

    form: Literal["leaf", "struct", "map", "list", "set"]
    struct: str = ""
    element: FieldType | None = None
    keys: tuple[str, ...] = ()


LEAF = FieldType("leaf")


@cache
def struct_type(name: str) -> FieldType:
    """Return the type of a struct, by its name in `schema`."""
    return LEAF if name in _ATOMIC_STRUCTS or name not in structs() else FieldType("struct", name)


@cache
def field_type(struct: str, field: str) -> FieldType:
    """Return the type of a struct's field; one that the struct does not have is a leaf."""
    kind = structs().get(struct, {}).get(field, "")
    if (struct, field) in _ATOMIC_FIELDS:
        return LEAF
    if kind.startswith("map[string]"):
        return FieldType("map", element=struct_type(kind[11:]))
    if not kind.startswith("[]"):
        return struct_type(kind)
    keys = _KEYS.get((struct, field)) or ((merge_key(struct, field) or "",))
    if keys == ("",):
        return FieldType("set", element=LEAF) if merge_key(struct, field) == "" else LEAF
    # An item may be atomic (an owner's reference); the list is still one of items by their keys.
    return FieldType("list", element=struct_type(kind[2:]), keys=keys)
