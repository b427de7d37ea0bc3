"""Decoding as the API server does it: types are checked, unknown fields found, nulls and empty lists dropped.

The result shares nothing with the input, so decoding is also the copy that callers need.
"""

from __future__ import annotations

from typing import Any

from kubetour.embedded.api import Object
from kubetour.embedded.apierrors import bad_request
from kubetour.embedded.decoder import DecodeError, decoder
from kubetour.embedded.resources import Resource
from kubetour.embedded.schema import struct_of


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
        version, found = api_version.rsplit("/", 1)[-1], str(given[0]).rsplit("/", 1)[-1]
        raise bad_request(
            f'{given[1]} in version "{found}" cannot be handled as a {kind}: converting ({found}.{given[1]}) '
            f"to ({_package(api_version)}.{kind}): unknown conversion"
            if given[1] != kind
            else f"the API version in the data ({given[0]}) does not match the expected API version "
            f"({version})"
        )
    unknown: list[str] = []
    try:
        decoded = decoder(struct_of(api_version, kind))(obj, unknown)
    except DecodeError as error:
        raise bad_request(cannot_be_handled(kind, api_version, str(error))) from None
    metadata = decoded.pop("metadata", {})
    decoded.pop("kind", None)
    decoded.pop("apiVersion", None)
    metadata.pop("selfLink", None)
    # kind and apiVersion come first: lists leave them out by cutting a prefix off the stored text.
    return {**type_meta(kind, api_version), "metadata": metadata, **decoded}, unknown


def _package(api_version: str) -> str:
    """Return the Go package of a group's internal types: "core", "apps", "rbac"."""
    group = api_version.rpartition("/")[0] or "core"
    return "core" if group == "events.k8s.io" else group.partition(".")[0]


def type_meta(kind: str, api_version: str) -> Object:
    """Return the two fields that name an object's type, in Kubernetes' order."""
    return {"kind": kind, "apiVersion": api_version}


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
