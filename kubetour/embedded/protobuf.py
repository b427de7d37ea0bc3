"""Reads request bodies that come as protobuf, as kubectl 1.32 and later send what it builds from Go types.

Only reading: answers are JSON, which every client accepts. A body is the four bytes "k8s\\0" and a
runtime.Unknown that holds the object; `protobuf.json` has each struct's field numbers. The result is what the
client would have sent as JSON: zeros are left out where Go's `omitempty` would leave them out.
"""

from __future__ import annotations

import base64
import json
import struct as binary
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import cache
from importlib import resources
from typing import Any

from kubetour.embedded import documents
from kubetour.embedded.api import Object
from kubetour.embedded.apierrors import bad_request
from kubetour.embedded.schema import kinds, structs

MAGIC = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
Value = int | bytes


@cache
def _messages() -> dict[str, dict[int, str]]:
    text = resources.files("kubetour.embedded").joinpath("protobuf.json").read_text(encoding="utf-8")
    lines: dict[str, str] = json.loads(text)
    split = {name: [part.partition(":") for part in line.split()] for name, line in lines.items()}
    return {name: {int(number): field for number, _, field in parts} for name, parts in split.items()}


def parse(body: bytes) -> Object:
    """Return the object in a body; StatusError 400 for what is none, or of a kind that is not known."""
    try:
        if not body.startswith(MAGIC):
            raise ValueError("the body does not begin with k8s\\0")
        envelope = dict(_fields(body[len(MAGIC) :]))
        types = dict(_fields(_bytes(envelope[1])))
        api_version, kind = (_bytes(types.get(number, b"")).decode() for number in (1, 2))
        raw = _bytes(envelope.get(2, b""))
        obj = _struct(kinds()[f"{api_version}/{kind}"], raw)
    except KeyError as error:
        raise bad_request(f"no kind {error} is registered for protobuf") from None
    except (ValueError, IndexError, TypeError, OverflowError, OSError, binary.error) as error:
        raise bad_request(f"the protobuf body cannot be read: {error}") from None
    return {"kind": kind, "apiVersion": api_version, **obj}


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Yield (field number, value) of a message in wire order."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, value
        elif wire == _BYTES:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise ValueError("unexpected end of the message")
            yield number, data[at : at + size]
            at += size
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
            yield number, data[at : at + size]
            at += size
        else:
            raise ValueError(f"unknown wire type {wire}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[at]
        result |= (byte & 0x7F) << shift
        at += 1
        if shift > 63:  # at most ten bytes: a longer one would take time that grows with its square
            raise ValueError("a number has too many bytes")
        if byte < 0x80:
            return result, at
        shift += 7


def _bytes(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("a number stands where a message should")
    return value


def _struct(name: str, data: bytes, message: str = "") -> Object:
    """Read a struct; `message` is the part of it that JSON inlines, with numbers of its own."""
    result: Object = {}
    numbers, types = _messages()[message or name], structs()[name]
    for number, value in _fields(data):
        field = numbers.get(number, "")
        if field.startswith("+"):
            result.update(_struct(name, _bytes(value), field[1:]))
            continue
        key = field.rstrip("*")
        kind = types.get(key)
        if kind is None:
            continue  # a field newer than this package
        if kind.startswith("[]"):
            result.setdefault(key, []).append(_value(kind[2:], value))
        elif kind.startswith("map[string]"):
            entry = dict(_fields(_bytes(value)))
            text = _bytes(entry.get(1, b"")).decode()
            result.setdefault(key, {})[text] = _value(kind[11:], entry.get(2, b""))
        else:
            decoded = _value(kind, value)
            if decoded is not None and (field.endswith("*") or kind in structs() or decoded not in ("", 0)):
                result[key] = decoded
    return result


def _value(kind: str, value: Value) -> Any:
    if kind in structs():
        return _struct(kind, _bytes(value))
    if kind in ("int32", "int64"):
        if not isinstance(value, int):
            raise TypeError("bytes stand where a number should")
        return value - (1 << 64) if value >= 1 << 63 else value
    if kind == "bool":
        return bool(value)
    if kind == "float":
        return binary.unpack("<d", _bytes(value))[0]
    if kind == "bytes":
        return base64.b64encode(_bytes(value)).decode()
    if kind in _MESSAGES:
        return _MESSAGES[kind](dict(_fields(_bytes(value))))
    return _bytes(value).decode()


def _time(fields: dict[int, Value]) -> str | None:
    seconds = fields.get(1, 0)
    # The zero time is year 1: in JSON, null.
    if not isinstance(seconds, int) or not seconds or seconds >= 1 << 63:
        return None
    nanos = fields.get(2, 0)
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    fraction = f".{nanos // 1000:06d}" if isinstance(nanos, int) and nanos else ""
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"


def _int_or_string(fields: dict[int, Value]) -> int | str:
    return _bytes(fields.get(3, b"")).decode() if fields.get(1) else _value("int32", fields.get(2, 0))


_MESSAGES: dict[str, Any] = {
    "time": _time,
    "micro-time": _time,
    "int-or-string": _int_or_string,
    "quantity": lambda fields: _bytes(fields.get(1, b"")).decode(),
    # runtime.RawExtension: JSON inside.
    "any": lambda fields: documents.from_json(_bytes(fields.get(1, b"")) or b"null"),
}
