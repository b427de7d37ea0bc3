"""As much of JSON Schema as docs/report.schema.json uses. A keyword that is not known here is an error.

https://json-schema.org/draft/2020-12/json-schema-validation
"""

from __future__ import annotations

import re
from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "integer": (int,),
    "number": (int, float),
}
SAYS_NOTHING = {"$schema", "$defs", "title", "description"}


def faults(
    value: Any, schema: dict[str, Any], root: dict[str, Any], at: str = "$", *, newer: bool = False
) -> list[str]:
    """Return where a value is not as the schema says; of a `newer` form's, fields not known are no faults."""
    if "$ref" in schema:
        return faults(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root, at, newer=newer)
    if "type" in schema and not _is_so("type", schema["type"], value, root):
        return [f"{at}: type {schema['type']}"]
    found = []
    for keyword, rule in schema.items():
        if keyword in SAYS_NOTHING:
            continue
        if not _is_so(keyword, rule, value, root, newer=newer):
            shown = sorted(set(rule) - set(value)) if keyword == "required" else rule
            found.append(f"{at}: {keyword} {str(shown)[:80]}")
    if isinstance(value, dict):
        for name, item in value.items():
            rule = schema.get("properties", {}).get(name, schema.get("additionalProperties", True))
            if isinstance(rule, dict):
                found += faults(item, rule, root, f"{at}.{name}", newer=newer)
            elif not rule and not newer:
                found.append(f"{at}: {name} is unknown")
    if isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value):
            found += faults(item, schema["items"], root, f"{at}[{i}]", newer=newer)
    return found


def _is_so(keyword: str, rule: Any, value: Any, root: dict[str, Any], *, newer: bool = False) -> bool:
    if keyword == "type":
        return any(_is_a(value, name) for name in ([rule] if isinstance(rule, str) else rule))
    if keyword == "const":
        return bool(value == rule)
    if keyword == "enum":
        return value in rule
    if keyword == "minimum":
        return bool(value >= rule)
    if keyword == "pattern":
        return re.search(rule, value) is not None
    if keyword == "required":
        return set(rule) <= set(value)
    if keyword == "anyOf":
        return any(not faults(value, each, root, newer=newer) for each in rule)
    if keyword not in ("properties", "additionalProperties", "items"):
        raise ValueError(f"unknown keyword: {keyword}")
    return True


def _is_a(value: Any, name: str) -> bool:
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
