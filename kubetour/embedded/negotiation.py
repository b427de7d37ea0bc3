"""Content negotiation: in which form a client wants the answer, and what the body it sent is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kubetour.embedded import apierrors, documents, protobuf

JSON, YAML = "application/json", "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
ACCEPTED = (JSON, YAML, PROTOBUF)
PATCH_JSON = "application/json-patch+json"
PATCH_MERGE = "application/merge-patch+json"
PATCH_STRATEGIC = "application/strategic-merge-patch+json"
PATCH_APPLY = "application/apply-patch+yaml"
_FORMS = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
PATCHES = (PATCH_JSON, PATCH_MERGE, PATCH_STRATEGIC, PATCH_APPLY)


@dataclass(frozen=True)
class MediaType:
    """One clause of an Accept header: "application/json;as=Table;v=v1;g=meta.k8s.io"."""

    name: str
    kind: str = ""
    group: str = ""
    version: str = ""


def clauses(accept: str) -> list[MediaType]:
    """Return the clauses of an Accept header in the order given; an empty header accepts everything."""
    found = []
    for clause in (accept or "*/*").split(","):
        name, *parameters = (part.strip() for part in clause.split(";"))
        values = dict(item.split("=", 1) for item in parameters if "=" in item)
        found.append(MediaType(name.lower(), values.get("as", ""), values.get("g", ""), values.get("v", "")))
    return found


@lru_cache(maxsize=64)  # a client sends the same header with each request
def form(accept: str) -> str:
    """Return how to answer for a resource: "", "Table" or "PartialObjectMetadata" (its List included).

    Raises StatusError 406 where no clause is one that can be served.
    """
    served = _served(accept)
    if served is None:
        raise apierrors.not_acceptable((JSON, YAML))
    return "PartialObjectMetadata" if served.kind.startswith("Partial") else served.kind


def is_yaml(accept: str) -> bool:
    """Return whether the answer is to be YAML."""
    return YAML in accept and (served := _served(accept)) is not None and served.name == YAML


def _served(accept: str) -> MediaType | None:
    """Return the first clause that can be served."""
    for media in clauses(accept):
        if media.name in (JSON, YAML, "application/*", "*/*") and (
            not media.kind or ((media.group, media.version) == ("meta.k8s.io", "v1") and media.kind in _FORMS)
        ):
            return media
    return None


def media_type(content_type: str) -> str:
    """Return a Content-Type without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def parse_body(body: bytes, content_type: str, kind: str) -> Any:
    """Return a request's JSON, YAML or protobuf body; 415 for another type, 400 for what cannot be read."""
    media = media_type(content_type) or JSON
    if media == PROTOBUF:
        return protobuf.parse(body)
    if media not in (JSON, YAML):
        raise apierrors.unsupported_media_type(ACCEPTED)
    return parse_json(body, kind) if media == JSON else parse_yaml(body)


def parse_json(body: bytes, kind: str) -> Any:
    """Return a JSON body, or raise the 400 the API server gives."""
    try:
        return documents.from_json(body)
    except ValueError as error:
        text = body.decode(errors="replace")
        raise apierrors.bad_request(
            f"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; "
            f"json parse error: {documents.go_json_error(error, text)} ({text[:64]})"
        ) from None


def parse_patch(body: bytes, content_type: str) -> Any:
    """Return a patch, which is JSON, or raise the 400 the API server gives."""
    said = "error decoding patch: " if content_type == PATCH_MERGE else ""
    try:
        patch = documents.from_json(body)
    except ValueError as error:
        why = documents.go_json_error(error, body.decode(errors="replace"))
        raise apierrors.bad_request(said + why) from None
    if content_type != PATCH_JSON and not isinstance(patch, (dict, type(None))):
        what = documents.json_kind(patch)
        why = f"json: cannot unmarshal {what} into Go value of type map[string]interface {{}}"
        raise apierrors.bad_request(said + why)
    return patch


def parse_yaml(body: bytes) -> Any:
    """Return a YAML body, as server-side apply sends it (JSON is YAML too)."""
    try:
        return documents.from_json(body)
    except ValueError:
        pass
    try:
        return documents.from_yaml(body)
    except ValueError as error:
        raise apierrors.bad_request(f"error decoding YAML: {error}") from None
