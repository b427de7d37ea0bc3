"""JSON and YAML from clients, as plain values that can be stored, sent on and copied, whatever came."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

DEEPEST = 100  # levels; no object of Kubernetes has 20, and Python's stack has room for some hundred
LARGEST = 3 * 1024 * 1024  # bytes, as Kubernetes' limit of a request; YAML's aliases could make more of it
_LONE = re.compile("[\ud800-\udfff]")
_TOO_DEEP = "exceeded max depth"
_KINDS = {dict: "object", list: "array", str: "string", bool: "bool", type(None): "null"}


def from_json(body: bytes | str) -> Any:
    """Return a JSON document; ValueError for what is none, NaN and deeper nesting included.

    Half of a surrogate pair becomes U+FFFD, as in Go.
    """
    text = body if isinstance(body, str) else body.decode("utf-8")
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        if text.count("{") + text.count("[") > DEEPEST and is_deeper(value, DEEPEST):
            raise ValueError(_TOO_DEEP)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if "\\u" in text and _LONE.search(whole := json.dumps(value, ensure_ascii=False)):
        value = json.loads(_LONE.sub("\ufffd", whole))
    return value


def from_yaml(body: bytes) -> Any:
    """Return a YAML document as the JSON that it stands for; ValueError for what cannot be JSON."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    depth = 0
    try:
        for event in yaml.parse(body, loader):  # deep nesting would overflow the stack of libyaml's composer
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise ValueError(_TOO_DEEP)
        return from_json(_as_json(yaml.load(body, loader)))  # noqa: S506 - a safe loader
    except (yaml.YAMLError, TypeError, RecursionError, OverflowError) as error:
        raise ValueError(str(error) or type(error).__name__) from None


def _as_json(value: Any) -> str:
    """Return JSON; ValueError where aliases make it circular, or larger than a request may be."""
    chunks, size = [], 0
    for chunk in json.JSONEncoder(allow_nan=False, default=str).iterencode(value):
        size += len(chunk)
        if size > LARGEST:
            raise ValueError("the document is too large with its aliases written out")
        chunks.append(chunk)
    return "".join(chunks)


def is_deeper(value: Any, levels: int) -> bool:
    """Return whether lists and objects are nested in each other more than that many levels."""
    level = [value]
    for _ in range(levels + 1):
        level = [
            inner
            for item in level
            if isinstance(item, (dict, list))
            for inner in (item.values() if isinstance(item, dict) else item)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def json_kind(value: Any) -> str:
    """Return Go's word for what a JSON value is: object, array, string, bool, null or number."""
    return _KINDS.get(type(value), "number")


def go_json_error(error: ValueError, text: str) -> str:
    """Return what Go's JSON decoder says of a text that `from_json` refused."""
    if str(error) == _TOO_DEEP:
        return _TOO_DEEP
    position = error.pos if isinstance(error, json.JSONDecodeError) else 0
    if position >= len(text):
        return "unexpected end of JSON input"
    what = "object key string" if "property name" in str(error) else "value"
    return f"invalid character '{text[position]}' looking for beginning of {what}"


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"invalid value {name}")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"invalid value {text}")
    return number
