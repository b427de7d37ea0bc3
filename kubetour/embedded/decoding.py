"""Decoding as the API server does it: types are checked, unknown fields found, nulls and empty lists dropped.

The result shares nothing with the input, so decoding is also the copy that callers need.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any

from kubetour.embedded import quantity
from kubetour.embedded.api import Object
from kubetour.embedded.apierrors import bad_request
from kubetour.embedded.resources import Resource
from kubetour.embedded.schema import SCALARS, struct_of, structs

_GO_SCALARS = {
    "time": "Time",
    "micro-time": "MicroTime",
    "int-or-string": "intstr.IntOrString",
    "bytes": "[]uint8",
    "float": "float64",
}
_LIMITS = {"int32": 2**31, "int64": 2**63}
# The API writes these times as null where they are not set; every other null is as if it were absent.
_NULLABLE = ("lastProbeTime", "eventTime", "firstTimestamp", "lastTimestamp")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)")


class DecodeError(Exception):
    """A value of the wrong type, in the words of Go's JSON decoder."""


class Decoder:
    """Decodes one object; `unknown` then lists the fields that its kind does not have."""

    def __init__(self) -> None:
        self.unknown: list[str] = []
        self._structs = structs()

    def struct(self, name: str, value: Any, path: str = "") -> Object:
        """Decode a struct by name."""
        fields = self._structs[name]
        result: Object = {}
        for key, item in value.items():
            kind = fields.get(key)
            where = f"{path}.{key}" if path else key
            if kind is None:
                self.unknown.append(where)
            elif item is None:
                if key in _NULLABLE:
                    result[key] = None
            else:
                decoded = self._value(kind, item, where, name)
                # As Go's omitempty, which the API's lists and maps carry; an empty struct stays.
                if decoded or not isinstance(decoded, (list, dict)) or kind in self._structs:
                    result[key] = decoded
        return result

    def _value(self, kind: str, value: Any, path: str, owner: str) -> Any:  # noqa: PLR0912 -- one branch per type
        if kind == "string":
            if isinstance(value, str):
                return value
        elif kind in self._structs:
            if isinstance(value, dict):
                return self.struct(kind, value, path)
        elif kind.startswith("[]"):
            if isinstance(value, list):
                inner = kind[2:]
                return [self._value(inner, item, f"{path}[{i}]", owner) for i, item in enumerate(value)]
        elif kind.startswith("map[string]"):
            if isinstance(value, dict):
                inner = kind[11:]
                return {
                    key: self._value(inner, "" if item is None else item, f"{path}.{key}", owner)
                    for key, item in value.items()
                }
        elif kind in _LIMITS:
            if type(value) is int and -_LIMITS[kind] <= value < _LIMITS[kind]:
                return value
        elif kind == "bool":
            if isinstance(value, bool):
                return value
        elif kind == "quantity":
            if isinstance(value, (str, int, float)) and not isinstance(value, bool):
                try:
                    return quantity.canonical(value)
                except ValueError as error:
                    raise DecodeError(str(error)) from None
        elif kind in ("time", "micro-time"):
            if isinstance(value, str):
                return _time(value, micro=kind == "micro-time")
        elif kind == "int-or-string":
            if isinstance(value, str) or type(value) is int:
                return value
        elif kind == "bytes":
            if isinstance(value, str):
                return value
        elif kind == "float":
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                return value
        else:
            return value  # "any": kept as it came
        field = re.sub(r"\[\d+\]", "", path)
        raise DecodeError(
            f"json: cannot unmarshal {_json_type(value)} into Go struct field "
            f"{_go_name(owner)}.{field} of type {_go_type(kind)}"
        )


def _time(text: str, *, micro: bool) -> str:
    """Return an RFC 3339 time as the API keeps it: in UTC, in whole seconds or in microseconds."""
    match = _TIME.fullmatch(text)
    try:
        if not match:
            raise ValueError(text)
        moment = datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00"))
        utc = moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    except (ValueError, OverflowError):
        raise DecodeError(
            f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{text}" as "2006"'
        ) from None
    return f"{utc}.{(match[2] or '').ljust(6, '0')[:6]}Z" if micro else f"{utc}Z"


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        # Go names a plain integer "number" and quotes the text of one that does not fit.
        return "number" if type(value) is int and abs(value) < 2**31 else f"number {value}"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


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


def decode(
    resource: Resource, obj: Any, *, kind: str = "", api_version: str = ""
) -> tuple[Object, list[str]]:
    """Return an object of a resource (or of a subresource's kind), decoded, and the fields that were unknown.

    Raises StatusError 400 for another kind or version, and for a value of the wrong type.
    """
    kind = kind or resource.kind
    api_version = api_version or resource.api_version
    if not isinstance(obj, dict):
        raise bad_request(f"the object provided is unrecognized (must be of type {kind})")
    # In process the type is known from the call; over HTTP the handler demands apiVersion and kind.
    given = (obj.get("apiVersion", api_version), obj.get("kind", kind))
    if given != (api_version, kind):
        version = api_version.rsplit("/", 1)[-1]
        raise bad_request(
            f"{given[1]} in version {str(given[0]).rsplit('/', 1)[-1]!r} cannot be handled as a {kind}: "
            f"converting ({given[0]}/{given[1]}) to ({api_version}/{kind}): unknown conversion"
            if given[1] != kind
            else f"the API version in the data ({given[0]}) does not match the expected API version "
            f"({version})"
        )
    decoder = Decoder()
    try:
        decoded = decoder.struct(struct_of(api_version, kind), obj)
    except DecodeError as error:
        raise bad_request(cannot_be_handled(kind, api_version, str(error))) from None
    metadata = decoded.pop("metadata", {})
    metadata.pop("selfLink", None)
    # kind and apiVersion come first: lists leave them out by cutting a prefix off the stored text.
    return {**type_meta(kind, api_version), "metadata": metadata, **_rest(decoded)}, decoder.unknown


def type_meta(kind: str, api_version: str) -> Object:
    """Return the two fields that name an object's type, in Kubernetes' order."""
    return {"kind": kind, "apiVersion": api_version}


def _rest(obj: Object) -> Object:
    return {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}


def cannot_be_handled(kind: str, api_version: str, why: str) -> str:
    """Return the sentence in which the API server wraps a decoding error."""
    version = api_version.rsplit("/", 1)[-1]
    return f'{kind} in version "{version}" cannot be handled as a {kind}: {why}'


def reject_unknown(resource: Resource, unknown: list[str], *, kind: str = "") -> None:
    """Raise the 400 of strict field validation where there are unknown fields."""
    if unknown:
        fields = ", ".join(f'unknown field "{field}"' for field in unknown)
        why = f"strict decoding error: {fields}"
        raise bad_request(cannot_be_handled(kind or resource.kind, resource.api_version, why))
