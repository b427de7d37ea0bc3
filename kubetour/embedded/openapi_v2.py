"""OpenAPI v2, for kubectl before 1.27: as JSON, and as the protobuf that kubectl insists on.

The protobuf is gnostic's `openapi.v2.Document`, written field by field: the message is small and fixed, and a
protobuf library would be one more dependency.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from kubetour.embedded.api import Object
from kubetour.embedded.openapi import GVK, PARAMETERS, closure, resource_paths, schema_name, struct_schema
from kubetour.embedded.registry import to_json
from kubetour.embedded.resources import RESOURCES
from kubetour.embedded.schema import client_version, kinds

# What kubectl asks for; "@" may not stand in a Content-Type, so the answer's is another.
ASKED = (
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
)
PROTOBUF = ASKED[1]
_REFS = "#/definitions/"


@cache
def document() -> Object:
    """Return the document: the kinds with their fields; paths are left to v3."""
    names = closure(sorted(set(kinds().values())))
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes (embedded)", "version": client_version()},
        "paths": {},
        "definitions": {schema_name(name): _without_one_of(struct_schema(name, _REFS)) for name in names},
    }


def _without_one_of(schema: Any) -> Any:
    """v2 knows neither oneOf nor a reference wrapped in allOf."""
    if isinstance(schema, list):
        return [_without_one_of(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "oneOf" in schema:
        kept = {key: value for key, value in schema.items() if key != "oneOf"}
        return {**kept, "type": "string"}
    if "allOf" in schema:
        rest = {key: value for key, value in schema.items() if key != "allOf"}
        return {**schema["allOf"][0], **rest}
    return {key: _without_one_of(value) for key, value in schema.items()}


@cache
def json_text() -> str:
    """Return the document as JSON."""
    return to_json(document())


@cache
def protobuf() -> bytes:
    """Return the document as gnostic's protobuf."""
    source = document()
    info = _text(1, source["info"]["title"]) + _text(2, source["info"]["version"])
    definitions = _named(source["definitions"])
    return _text(1, "2.0") + _bytes(2, info) + _bytes(8, _paths()) + _bytes(9, definitions)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _bytes(field: int, content: bytes) -> bytes:
    """A length-delimited field: wire type 2."""
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _text(field: int, content: str) -> bytes:
    return _bytes(field, content.encode()) if content else b""


def _paths() -> bytes:
    """The one thing kubectl reads of a path: that PATCH of a kind takes `dryRun`."""
    out = b""
    for resource in RESOURCES:
        if "patch" in resource.verbs:
            kind = {"group": resource.group, "kind": resource.kind, "version": resource.version}
            extension = _bytes(13, _text(1, GVK) + _bytes(2, _text(2, json.dumps(kind))))
            # ParametersItem > Parameter > NonBodyParameter > QueryParameterSubSchema{in = 2, name = 4}
            query = [_text(2, "query") + _text(4, name) for name in PARAMETERS["patch"]]
            parameters = b"".join(_bytes(8, _bytes(1, _bytes(2, _bytes(3, item)))) for item in query)
            patch = _bytes(8, parameters + extension)
            out += _bytes(2, _text(1, resource_paths(resource)[1]) + _bytes(2, patch))
    return out


def _named(schemas: Object) -> bytes:
    """Definitions and Properties alike: repeated NamedSchema{name = 1, value = 2} in field 1."""
    return b"".join(
        _bytes(1, _text(1, name) + _bytes(2, _schema(schema))) for name, schema in sorted(schemas.items())
    )


def _schema(schema: Object) -> bytes:
    out = _text(1, schema.get("$ref", "")) + _text(2, schema.get("format", ""))
    out += _text(4, schema.get("description", ""))
    out += b"".join(_text(19, name) for name in schema.get("required", []))
    if "additionalProperties" in schema:
        out += _bytes(21, _bytes(1, _schema(schema["additionalProperties"])))
    if "type" in schema:
        out += _bytes(22, _text(1, schema["type"]))
    if "items" in schema:
        out += _bytes(23, _bytes(1, _schema(schema["items"])))
    if "properties" in schema:
        out += _bytes(25, _named(schema["properties"]))
    for key, value in sorted(schema.items()):
        if key.startswith("x-"):
            # NamedAny{name = 1, value = 2: Any{yaml = 2}}; JSON is YAML.
            out += _bytes(31, _text(1, key) + _bytes(2, _text(2, json.dumps(value))))
    return out
