"""What is wrong with an apply configuration, in the words of structured-merge-diff."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from kubetour.embedded.fieldtypes import KEY_DEFAULTS, LEAF, FieldType, field_type
from kubetour.embedded.schema import structs

_NUMBERS = ("int32", "int64", "float")
_STRINGS = ("string", "bytes")
_GO_TYPES = {bool: "bool", int: "int64", float: "float64", str: "string", list: "[]interface {}"}


def problems(struct: str, value: Any) -> list[str]:
    """Return each problem of an object of a struct, after the path of the field that has it."""
    return list(_struct(struct, value, ""))


def _struct(name: str, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: expected map, got &{{{_plain(value)}}}"
        return
    fields = structs()[name]
    for key, item in value.items():
        if key not in fields:
            yield f"{path}.{key}: field not declared in schema"
        else:
            yield from _value(fields[key], field_type(name, key), item, f"{path}.{key}")


def _value(kind: str, form: FieldType, value: Any, path: str) -> Iterator[str]:
    if value is None:
        return
    if kind in structs():
        yield from _struct(kind, value, path)
    elif kind.startswith("[]"):
        yield from _list(kind[2:], form, value, path)
    elif kind.startswith("map[string]"):
        if not isinstance(value, dict):
            yield f"{path}: expected map, got &{{{_plain(value)}}}"
            return
        for key, item in value.items():
            yield from _value(kind.removeprefix("map[string]"), LEAF, item, f"{path}.{key}")
    elif kind in _STRINGS and not isinstance(value, str):
        yield f"{path}: expected string, got &value.valueUnstructured{{Value:{_go(value)}}}"
    elif kind == "bool" and not isinstance(value, bool):
        yield f"{path}: expected boolean, got &{{{_plain(value)}}}"
    elif kind in _NUMBERS and (isinstance(value, bool) or not isinstance(value, (int, float))):
        found = _GO_TYPES.get(type(value), "map[string]interface {}")
        yield f"{path}: expected numeric (int or float), got {found}"


def _list(kind: str, form: FieldType, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: expected list, got &{{{_plain(value)}}}"
        return
    seen = set()
    for index, item in enumerate(value):
        step = f"[{index}]"
        if form.form == "list" and isinstance(item, dict):
            keys = {key: item.get(key, KEY_DEFAULTS.get(key)) for key in sorted(form.keys)}
            missing = next((key for key, found in keys.items() if found is None), None)
            if missing is not None:
                text = f'associative list with keys has an element that omits key field "{missing}"'
                yield f"{path}: element {index}: {text} (and doesn't have default value)"
                continue
            step = f"[{','.join(f'{key}={json.dumps(found)}' for key, found in keys.items())}]"
            if step in seen:
                yield f"{path}: duplicate entries for key {step}"
                continue
            seen.add(step)
        yield from _value(kind, LEAF, item, f"{path}{step}")


def _plain(value: Any) -> str:
    """Return a value as Go's %v prints it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_plain(item)}' for key, item in sorted(value.items()))}]"
    return f"[{' '.join(map(_plain, value))}]" if isinstance(value, list) else str(value)


def _go(value: Any) -> str:
    """Return a value as Go's %#v prints it."""
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(key)}:{_go(item)}" for key, item in sorted(value.items()))
        return f"map[string]interface {{}}{{{inner}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(_go, value))}}}"
    return json.dumps(value)


def message(where: str, found: list[str]) -> str:
    """Return what an apply of `where`, "default/web; apps/v1, Kind=Deployment", is refused with."""
    why = found[0] if len(found) == 1 else "errors:\n" + "\n".join(f"  {text}" for text in found)
    return f"failed to create typed patch object ({where}): {why}"
