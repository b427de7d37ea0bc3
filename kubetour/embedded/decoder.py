"""Values as Go's JSON decoder takes them: for every type of the schema one function, made once.

Every write of the API goes through here, so this is what a creation costs. Paths are put together only where
something is wrong, from the inside out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timezone
from functools import cache, lru_cache
from typing import Any

from kubetour.embedded import gobase64, quantity
from kubetour.embedded.api import Object
from kubetour.embedded.documents import json_kind
from kubetour.embedded.schema import SCALARS, structs

# Of a value, and a list that takes the paths of the fields that its type does not have.
Decode = Callable[[Any, "list[str]"], Any]
_GO_SCALARS = {
    "time": "Time",
    "micro-time": "MicroTime",
    "int-or-string": "intstr.IntOrString",
    "bytes": "[]uint8",
    "float": "float64",
}
_LIMITS = {"int32": 2**31, "int64": 2**63}
# Types that take every value of one type of Python's as it is: the greater part of what is decoded, for
# which no function is called.
_PLAIN: dict[str, type] = {"string": str, "bool": bool}
# The API writes these times as null where they are not set; every other null is as if it were absent.
_NULLABLE = ("lastProbeTime", "eventTime", "firstTimestamp", "lastTimestamp")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)")


class DecodeError(Exception):
    """A value that its type does not take; str() of it is in the words of Go's JSON decoder."""

    def __init__(self, value: Any = None, kind: str = "", why: str = "") -> None:
        super().__init__(value, kind, why)
        self._value, self._kind, self._why = value, kind, why
        self._path: list[str] = []
        self._owner = ""

    def within(self, field: str, owner: str = "") -> None:
        """Say in which field, and of which struct, the value is: the innermost first."""
        self._path.insert(0, field)
        self._owner = self._owner or owner

    def __str__(self) -> str:
        return self._why or (
            f"json: cannot unmarshal {_json_type(self._value)} into Go struct field "
            f"{_go_name(self._owner)}.{'.'.join(self._path)} of type {_go_type(self._kind)}"
        )


@cache
def decoder(kind: str) -> Decode:
    """Return what decodes a type of the schema; its result shares nothing with the input."""
    if kind in structs():
        return _struct(kind)
    if kind.startswith("[]"):
        return _list(kind)
    if kind.startswith("map[string]"):
        return _map(kind)
    return _scalar(kind)


def _always(name: str) -> tuple[str, ...]:
    """Return texts that Go writes though they are empty, as far as components here rely on them."""
    if name == "V1NodeAddress":
        return ("address", "type")
    return ("status", "type") if name.endswith("Condition") else ()


def _struct(name: str) -> Decode:
    fields: dict[str, tuple[type | None, Decode, bool]] = {}
    always = _always(name)

    def decode(value: Any, unknown: list[str]) -> Object:
        if not isinstance(value, dict):
            raise DecodeError(value, name)
        if not fields:  # not before, as a struct may contain itself
            fields.update(
                {
                    key: (_PLAIN.get(kind), decoder(kind), kind in structs())
                    for key, kind in structs()[name].items()
                }
            )
        result: Object = {}
        for key, item in value.items():
            field = fields.get(key)
            if field is None:
                unknown.append(key)
            elif type(item) is field[0]:
                result[key] = item
            elif item is None:
                if key in _NULLABLE:
                    result[key] = None
            else:
                before = len(unknown)
                try:
                    decoded = field[1](item, unknown)
                except DecodeError as error:
                    error.within(key, name)
                    raise
                if len(unknown) > before:
                    _prefix(unknown, before, key)
                # As Go's omitempty, which the API's lists and maps carry; an empty struct stays.
                if decoded or field[2] or not isinstance(decoded, (list, dict)):
                    result[key] = decoded
        for key in always:
            result.setdefault(key, "")
        return result

    return decode


def _prefix(unknown: list[str], start: int, name: str) -> None:
    unknown[start:] = [f"{name}{path}" if path[:1] == "[" else f"{name}.{path}" for path in unknown[start:]]


def _list(kind: str) -> Decode:
    inner = decoder(kind[2:])

    def decode(value: Any, unknown: list[str]) -> list[Any]:
        if not isinstance(value, list):
            raise DecodeError(value, kind)
        result = []
        for index, item in enumerate(value):
            before = len(unknown)
            result.append(inner(item, unknown))
            if len(unknown) > before:
                _prefix(unknown, before, f"[{index}]")
        return result

    return decode


def _map(kind: str) -> Decode:
    plain, inner = _PLAIN.get(kind.removeprefix("map[string]")), decoder(kind.removeprefix("map[string]"))

    def decode(value: Any, unknown: list[str]) -> Object:
        if not isinstance(value, dict):
            raise DecodeError(value, kind)
        result = {}
        for key, item in value.items():
            if type(item) is plain:
                result[key] = item
                continue
            before = len(unknown)
            try:
                result[key] = inner("" if item is None else item, unknown)
            except DecodeError as error:
                error.within(key)
                raise
            if len(unknown) > before:
                _prefix(unknown, before, key)
        return result

    return decode


def _scalar(kind: str) -> Decode:
    take = _SCALARS.get(kind)
    if take is None:
        return lambda value, _: value  # "any": kept as it came

    def decode(value: Any, _: list[str]) -> Any:
        taken = take(value)
        if taken is None:
            raise DecodeError(value, kind)
        return taken

    return decode


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _whole(limit: int) -> Callable[[Any], int | None]:
    return lambda value: value if type(value) is int and -limit <= value < limit else None


def _quantity(value: Any) -> str | None:
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        return None
    try:
        return quantity.canonical(value)
    except ValueError as error:
        raise DecodeError(why=str(error)) from None


def _bytes(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        return gobase64.decoded(value)
    except ValueError as error:
        raise DecodeError(why=str(error)) from None


def _time(value: Any, *, micro: bool) -> str | None:
    """Return an RFC 3339 time as the API keeps it: in UTC, in whole seconds or in microseconds."""
    return _canonical_time(value, micro) if isinstance(value, str) else None


@lru_cache(maxsize=1024)  # much of what is written in a second has the time of that second
def _canonical_time(value: str, micro: bool) -> str:
    match = _TIME.fullmatch(value)
    try:
        if not match:
            raise ValueError(value)
        moment = datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00"))
        # Not strftime, which writes the year 1 as "1".
        utc = moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        why = f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse "{value}" as "2006"'
        raise DecodeError(why=why) from None
    return f"{utc}.{(match[2] or '').ljust(6, '0')[:6]}Z" if micro else f"{utc}Z"


_SCALARS: dict[str, Callable[[Any], Any]] = {
    **{kind: _whole(limit) for kind, limit in _LIMITS.items()},
    "string": _string,
    "bytes": _bytes,
    "bool": lambda value: value if isinstance(value, bool) else None,
    "float": lambda value: value if isinstance(value, (int, float)) and not isinstance(value, bool) else None,
    "int-or-string": lambda value: value if isinstance(value, str) or type(value) is int else None,
    "quantity": _quantity,
    "time": lambda value: _time(value, micro=False),
    "micro-time": lambda value: _time(value, micro=True),
}


def _json_type(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # Go names a plain integer "number" and quotes the text of one that does not fit.
        return "number" if type(value) is int and abs(value) < 2**31 else f"number {value}"
    return json_kind(value)


def _go_name(struct: str) -> str:
    return re.sub(r"^(V\d\w*?(?=[A-Z])|CoreV1|EventsV1)", "", struct)


def _go_type(kind: str) -> str:
    for prefix in ("[]", "map[string]"):
        if kind.startswith(prefix):
            return prefix + _go_type(kind.removeprefix(prefix))
    if kind in SCALARS:
        return _GO_SCALARS.get(kind, kind)
    version = re.match(r"V\d+((alpha|beta)\d+)?", kind)
    return f"{version[0].lower() if version else 'v1'}.{_go_name(kind)}"
