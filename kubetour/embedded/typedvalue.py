"""Values of the API as trees of fields: which they have, how two values differ, how one merges into another.

The rules of structured-merge-diff (typed.TypedValue): the items of lists that the API declares as maps or
sets are fields by their keys, and every other list is one value.
"""

from __future__ import annotations

import json
from typing import Any

from kubetour.embedded.fieldset import MEMBER, FieldSet, children, is_member, node_of
from kubetour.embedded.fieldtypes import KEY_DEFAULTS, LEAF, FieldType, field_type

Items = dict[str, tuple[FieldType, Any]]
_ABSENT = object()


def _items(kind: FieldType, value: Any) -> Items:
    """Return what lies below a value, by the step that leads there; nothing for a value that is one whole."""
    if kind.form == "struct":
        name = kind.struct
        return {f"f:{key}": (field_type(name, key), item) for key, item in value.items()}
    inner = kind.element or LEAF
    if kind.form == "map":
        return {f"f:{key}": (inner, item) for key, item in value.items()}
    return {_step(kind, item): (inner, item) for item in value} if kind.form != "leaf" else {}


def _step(kind: FieldType, item: Any) -> str:
    """Return the step that leads to a list's item."""
    if kind.form == "set":
        return f"v:{_json(item)}"
    values = item if isinstance(item, dict) else {}
    found = {key: values.get(key, KEY_DEFAULTS.get(key)) for key in sorted(kind.keys)}
    return f"k:{_json({key: value for key, value in found.items() if value is not None})}"


_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def field_set(kind: FieldType, value: Any) -> FieldSet:
    """Return the fields of an apply configuration: its leaves, and the items of its maps and lists."""
    result: FieldSet = {}
    entries = kind.form != "struct"
    for step, (inner, item) in _items(kind, value).items():
        below = field_set(inner, item) if inner.form != "leaf" and item else {}
        result[step] = node_of(below, member=entries)
    return result


def whole(kind: FieldType, value: Any) -> FieldSet:
    """Return a node with every path at and below a value."""
    if kind.form == "leaf" or not value:
        return {}
    node: FieldSet = {MEMBER: {}}
    if kind.form == "struct":
        for key, item in value.items():
            inner = field_type(kind.struct, key)
            node["f:" + key] = {} if inner.form == "leaf" else whole(inner, item)
    else:
        for step, (inner, item) in _items(kind, value).items():
            node[step] = whole(inner, item)
    return node


def compare(kind: FieldType, old: Any, new: Any) -> tuple[FieldSet, FieldSet]:
    """Return which fields differ: those set anew or changed, and those removed. Not for leaves."""
    changed: FieldSet = {}
    removed: FieldSet = {}
    if kind.form in ("list", "set"):
        old = {_step(kind, item): item for item in old}
        new = {_step(kind, item): item for item in new}
        prefix = ""
    else:
        prefix = "f:"
    # Every write comes through here: what is equal is passed over without a look at what it is.
    for key, item in new.items():
        was = old.get(key, _ABSENT)
        if was == item:
            continue
        inner = _inner(kind, key)
        if was is _ABSENT:
            changed[prefix + key] = whole(inner, item)
        elif inner.form == "leaf":
            changed[prefix + key] = {}
        else:
            more, less = compare(inner, was, item)
            if more:
                changed[prefix + key] = more
            if less:
                removed[prefix + key] = less
    for key, item in old.items():
        if key not in new:
            removed[prefix + key] = whole(_inner(kind, key), item)
    return changed, removed


def _inner(kind: FieldType, key: str) -> FieldType:
    return field_type(kind.struct, key) if kind.form == "struct" else kind.element or LEAF


def merge(kind: FieldType, live: Any, applied: Any) -> Any:
    """Return a value with an apply configuration merged in; neither argument is changed."""
    if kind.form == "leaf" or not live:
        return applied
    if kind.form in ("struct", "map"):
        result = dict(live)
        for step, (inner, item) in _items(kind, applied).items():
            name = step[2:]
            result[name] = merge(inner, result[name], item) if name in result else item
        return result
    return _merge_lists(kind, live, applied)


def _merge_lists(kind: FieldType, live: list[Any], applied: list[Any]) -> list[Any]:
    """Merge lists of items with keys, in the order applied; what only `live` has stays where it stood."""
    mine = [_step(kind, item) for item in live]
    theirs = {_step(kind, item): item for item in applied}
    shared = [step for step in theirs if step in mine]
    result: list[Any] = []
    at = 0
    for step, item in theirs.items():
        while at < len(mine) and mine[at] != step and mine[at] not in shared[:1]:
            # An item that is applied, too, but further on, has moved: its place is there.
            if mine[at] not in theirs:
                result.append(live[at])
            at += 1
        result.append(merge(kind.element or LEAF, live[mine.index(step)], item) if step in mine else item)
        if step in shared:
            shared.remove(step)
            at += at < len(mine) and mine[at] == step
    return result + [live[i] for i in range(at, len(mine)) if mine[i] not in theirs]


def prune(kind: FieldType, value: Any, last: FieldSet, owned: FieldSet) -> Any:
    """Return a value without the fields that were in `last` and that nobody owns (`owned`) any more.

    What is below such a field goes with it; a field stays while something below it is owned.
    """
    gone: set[str] = set()
    replaced: dict[str, Any] = {}
    for step, (inner, item) in _items(kind, value).items():
        if step not in last:
            continue
        if step not in owned:
            gone.add(step)
        elif inner.form != "leaf" and item:
            kept = prune(inner, item, children(last[step]), children(owned[step]))
            # What tells an item apart stays as long as the item does.
            keys = {key: item[key] for key in kind.keys if key in item and isinstance(item, dict)}
            replaced[step] = {**keys, **kept} if keys else kept
    if kind.form in ("struct", "map"):
        return {key: replaced.get(f"f:{key}", item) for key, item in value.items() if f"f:{key}" not in gone}
    steps = ((_step(kind, item), item) for item in value)
    return [replaced.get(step, item) for step, item in steps if step not in gone]


def equal_members(kind: FieldType, a: Any, b: Any, fields: FieldSet) -> FieldSet:
    """Return those of `fields` that have the same value in both objects."""
    mine, theirs = _items(kind, a), _items(kind, b)
    result: FieldSet = {}
    for step, node in fields.items():
        if step not in mine or step not in theirs:
            continue
        inner, item = mine[step]
        below: FieldSet = {}
        if children(node) and inner.form != "leaf":
            below = equal_members(inner, item, theirs[step][1], children(node))
        member = is_member(node) and (bool(children(node)) or item == theirs[step][1])
        if member or below:
            result[step] = node_of(below, member=member)
    return result
