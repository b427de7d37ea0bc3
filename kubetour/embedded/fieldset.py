"""Sets of fields in the form in which `managedFields` keeps them: FieldsV1, nested dictionaries.

A key is one step of a path: `f:NAME` a field or a map's key, `k:{…}` the item of a list by its keys, `v:…`
the item of a list of plain values. An empty dictionary is a member of the set; of one that holds more, only
the key "." says that it is a member itself. Sets are values: nothing here changes its arguments, and results
share with them. (structured-merge-diff's fieldpath.Set.)
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

FieldSet = dict[str, Any]
MEMBER = "."


def is_member(node: FieldSet) -> bool:
    """Return whether the path that leads to a node is itself in the set."""
    return not node or MEMBER in node


def children(node: FieldSet) -> FieldSet:
    """Return what a node holds, without its own membership."""
    return {key: child for key, child in node.items() if key != MEMBER} if MEMBER in node else node


def node_of(inner: FieldSet, *, member: bool) -> FieldSet:
    """Return a node of its children and its own membership."""
    return {MEMBER: {}, **inner} if member and inner else inner


def union(a: FieldSet, b: FieldSet) -> FieldSet:
    """Return what is in either set."""
    result = dict(a)
    for key, node in b.items():
        mine = result.get(key)
        if mine is None:
            result[key] = node
        else:
            inner = union(children(mine), children(node))
            result[key] = node_of(inner, member=is_member(mine) or is_member(node))
    return result


def difference(a: FieldSet, b: FieldSet) -> FieldSet:
    """Return what is in the first set and not in the second."""
    result: FieldSet = {}
    for key, node in a.items():
        other = b.get(key)
        if other is None:
            result[key] = node
            continue
        member = is_member(node) and not is_member(other)
        inner = difference(children(node), children(other))
        if member or inner:
            result[key] = node_of(inner, member=member)
    return result


def intersection(a: FieldSet, b: FieldSet) -> FieldSet:
    """Return what is in both sets."""
    result: FieldSet = {}
    for key in a.keys() & b.keys():
        member = is_member(a[key]) and is_member(b[key])
        inner = intersection(children(a[key]), children(b[key]))
        if member or inner:
            result[key] = node_of(inner, member=member)
    return result


def paths(fields: FieldSet, prefix: str = "") -> Iterator[str]:
    """Yield every member as messages write it, in order: `.spec.ports[port=80,protocol="TCP"].targetPort`."""
    for key in sorted(fields):
        path = prefix + _step(key)
        if is_member(fields[key]):
            yield path
        yield from paths(children(fields[key]), path)


def _step(key: str) -> str:
    kind, _, text = key.partition(":")
    if kind == "f":
        return f".{text}"
    if kind == "v":
        return f"[={text}]"
    keys: dict[str, Any] = json.loads(text)
    listed = ",".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in keys.items())
    return f"[{listed}]"
