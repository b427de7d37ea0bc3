"""The fields and types of every kind served: `schema.json`, made from the `kubernetes` client.

Importing the client's models costs a second and tens of megabytes; reading this file, milliseconds.
`python -m kubetour.embedded.schema` makes it again from the client that is installed.

A struct maps each JSON field to its type: "string", "int32", "int64", "bool", "float", "bytes", "time",
"micro-time", "quantity", "int-or-string", "any", another struct's name, or "[]T" or "map[string]T".
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

SCALARS = frozenset(
    [
        "string",
        "int32",
        "int64",
        "bool",
        "float",
        "bytes",
        "time",
        "micro-time",
        "quantity",
        "int-or-string",
        "any",
    ]
)


@cache
def _read(name: str) -> dict[str, Any]:
    text = resources.files("kubetour.embedded").joinpath(name).read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


def _data() -> dict[str, Any]:
    return _read("schema.json")


def documentation(struct: str, field: str = "") -> str:
    """Return the API's own words on a field, or on a struct; a field without any has its struct's."""
    text = _read("schema_docs.json").get(struct, {}).get(field, "")
    if not text and field:
        return documentation(element(structs().get(struct, {}).get(field, "")))
    return str(text)


def element(kind: str) -> str:
    """Return what a list or map holds: "string" for "[]string"; anything else holds itself."""
    while kind.startswith(("[]", "map[string]")):
        kind = kind.removeprefix("[]").removeprefix("map[string]")
    return kind


def structs() -> dict[str, dict[str, str]]:
    """Return every struct by name: field -> type."""
    found: dict[str, dict[str, str]] = _data()["structs"]
    return found


def required_fields() -> dict[str, list[str]]:
    """Return, by struct, the fields the API's definitions call required."""
    found: dict[str, list[str]] = _data()["required"]
    return found


def client_version() -> str:
    """Return the version of the `kubernetes` client the data was made from."""
    return str(_data()["client"])


def kinds() -> dict[str, str]:
    """Return the struct of every kind, by "apiVersion/Kind"."""
    found: dict[str, str] = _data()["kinds"]
    return found


def struct_of(api_version: str, kind: str) -> str:
    """Return the name of the struct that describes a kind; KeyError for a kind that is not served."""
    return kinds()[f"{api_version}/{kind}"]


if __name__ == "__main__":
    from kubetour.embedded.schema_generator import main

    main()
