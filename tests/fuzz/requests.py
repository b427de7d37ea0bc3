"""Requests to the API, drawn from its own OpenAPI: every operation, and what it does not describe."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from kubetour.embedded import openapi
from kubetour.embedded.negotiation import PATCH_APPLY, PATCH_JSON, PATCHES, YAML
from kubetour.embedded.resources import RESOURCES, Resource
from kubetour.embedded.schema import kinds
from tests import hostile
from tests.fuzz import objects
from tests.fuzz.client import Request
from tests.fuzz.objects import NAMES, Draw, Schemas

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
_SELECTORS = st.sampled_from(
    [
        "app=f",
        "app in (f,g),!x",
        "a notin (b",
        "x>1",
        "x<²",
        "metadata.name=f0",
        "status.phase!=Running",
        "," * 3000,
        "(" * 3000,
    ]
)
_NUMBERS = st.sampled_from(["0", "1", "-1", "1_0", "٣", "9" * 25, "1e3", "nan", "true", ""])
_QUERY: dict[str, st.SearchStrategy[str]] = {
    "labelSelector": _SELECTORS | hostile.strings(),
    "fieldSelector": _SELECTORS | hostile.strings(),
    **dict.fromkeys(
        ("limit", "resourceVersion", "gracePeriodSeconds", "tailLines", "limitBytes", "sinceSeconds"),
        _NUMBERS,
    ),
    "timeoutSeconds": st.sampled_from(["1", "-1", "9" * 25, "x"]),
    "continue": st.sampled_from(["eyJydiI6MX0", "eyJydiI6MSwic3RhcnQiOiJhIn0", "e30", "ey", "=", "bnVsbA"])
    | hostile.strings(),
    "resourceVersionMatch": st.sampled_from(["Exact", "NotOlderThan", "x"]),
    "watch": st.sampled_from(["1", "true", "0"]),
    **dict.fromkeys(
        ("allowWatchBookmarks", "sendInitialEvents", "force", "previous", "timestamps", "follow"),
        st.sampled_from(["true", "false", "x"]),
    ),
    "dryRun": st.sampled_from(["All", "x"]),
    "fieldManager": st.sampled_from(["f", "x" * 200]) | hostile.strings(),
    "fieldValidation": st.sampled_from(["Ignore", "Warn", "Strict", "x"]),
    "propagationPolicy": st.sampled_from(["Background", "Foreground", "Orphan", "x"]),
    "sinceTime": st.sampled_from(["2026-01-01T00:00:00Z", "now"]),
    "container": st.sampled_from(["c", "x"]) | hostile.strings(),
    "command": hostile.strings(),
    "includeObject": st.sampled_from(["None", "Metadata", "Object", "x"]),
}
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Target:
    """One resource as its OpenAPI document describes it."""

    resource: Resource
    schema: Any
    schemas: Schemas


def targets() -> list[Target]:
    """Return every resource that is served."""
    found = []
    for resource in RESOURCES:
        text = openapi.document(resource.group, resource.version)
        assert text is not None
        schemas = json.loads(text)["components"]["schemas"]
        name = openapi.schema_name(kinds()[f"{resource.api_version}/{resource.kind}"])
        found.append(Target(resource, schemas[name], schemas))
    return found


_TARGETS = targets()


@st.composite
def requests(draw: Draw) -> Request:
    """Draw a request: to a resource mostly, else to anywhere at all."""
    if draw(st.integers(0, 19)) == 0:
        return draw(_strays())
    target: Target = draw(st.sampled_from(_TARGETS))
    resource = target.resource
    method = draw(st.sampled_from(_METHODS))
    collection, item = openapi.resource_paths(resource)
    name = draw(st.sampled_from(NAMES)) if draw(st.integers(0, 9)) else draw(hostile.strings())
    space = (
        "default"
        if draw(st.integers(0, 9))
        else draw(st.sampled_from(["fuzz", "absent"]) | hostile.strings())
    )
    named = method in ("PUT", "PATCH") or (method != "POST" and draw(st.booleans()))
    path = (
        (item if named else collection)
        .replace("{namespace}", _quoted(space))
        .replace("{name}", _quoted(name))
    )
    subs = [sub.name for sub in resource.subresources] + ["x"]
    kind, version = resource.kind, resource.api_version
    if draw(st.integers(0, 3)) == 0:
        path, sub = f"{path}/{_quoted(name)}" if not named else path, draw(st.sampled_from(subs))
        path = f"{path}/{sub}"
        found = resource.subresource(sub)
        kind, version = (found and found.kind) or kind, (found and found.group_version) or version
    return Request(method, path + draw(_queries()), *_content(draw, method, target, kind, version, name))


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")


@st.composite
def _queries(draw: Draw) -> str:
    names = draw(st.lists(st.sampled_from(sorted(_QUERY)), max_size=3))
    pairs = [f"{name}={_quoted(draw(_QUERY[name]))}" for name in names]
    return "?" + "&".join(pairs) if pairs else ""


def _content(
    draw: Draw, method: str, target: Target, kind: str, version: str, name: str
) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    """Draw a body and its headers."""
    accept = draw(
        st.sampled_from(
            ["application/json"] * 3
            + [TABLE, "x", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"]
        )
    )
    headers = [("Accept", accept)]
    if method == "GET":
        return b"", tuple(headers)
    media = "application/json"
    if draw(st.integers(0, 19)) == 0:
        body: Any = draw(objects.ANYTHING)
    elif method == "DELETE":
        body = draw(
            st.sampled_from(
                [
                    {},
                    {"gracePeriodSeconds": 0},
                    {"preconditions": {"uid": "x"}},
                    {"propagationPolicy": "Orphan"},
                ]
            )
        )
    elif method == "PATCH":
        media = draw(st.sampled_from(PATCHES))
        body = _patch(draw, media, target, kind, version, name)
    else:
        body = objects.made(draw, kind, version, name, target.schema, target.schemas)
    if method != "PATCH" and draw(st.integers(0, 14)) == 0:
        media = draw(st.sampled_from([YAML, "application/vnd.kubernetes.protobuf", "text/plain"]))
    headers.append(("Content-Type", media))
    return _bytes(draw, body), tuple(headers)


def _bytes(draw: Draw, body: Any) -> bytes:
    text = json.dumps(body, ensure_ascii=draw(st.booleans()))
    sent = text.encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 24)) == 0:
        deep = [
            b"[" * 100_000,
            b'{"a":' * 100_000,
            b'{"spec":' * 5000 + b"1" + b"}" * 5000,
            b"k8s\0" + sent,
            b"k8s\0\x0a\xff\xff\xff\xff\x0f",
        ]
        sent = draw(
            st.sampled_from(
                [*deep, sent[: len(sent) // 2], b"\xff\xfe" + sent, b"&a [*a, *a]", b"a: &a [x, *a]"]
            )
        )
    return sent


def _patch(draw: Draw, media: str, target: Target, kind: str, version: str, name: str) -> Any:
    if media == PATCH_APPLY:
        return objects.made(draw, kind, version, name, target.schema, target.schemas)
    ways = [objects.path(draw, target.schema, target.schemas) for _ in range(draw(st.integers(1, 3)))]
    values = [
        objects.value(draw, leaf, target.schemas) if draw(st.booleans()) else draw(objects.SCALARS)
        for _, leaf in ways
    ]
    if media == PATCH_JSON:
        pointers = [_pointer(draw, way) for way, _ in ways]
        names = draw(
            st.lists(
                st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "x"]),
                min_size=len(ways),
                max_size=len(ways),
            )
        )
        return [
            {"op": op, "path": pointer, "from": draw(st.sampled_from(pointers)), "value": item}
            for op, pointer, item in zip(names, pointers, values, strict=True)
        ]
    body: Any = {}
    for (way, _), item in zip(ways, values, strict=True):
        body = objects.put(body, way, item)
    if draw(st.integers(0, 4)) == 0 and isinstance(body, dict):
        directive = draw(
            st.sampled_from(
                [
                    "$patch",
                    "$retainKeys",
                    "$setElementOrder/containers",
                    "$deleteFromPrimitiveList/finalizers",
                ]
            )
        )
        place = draw(st.sampled_from(["", "spec", "metadata"]))
        at = body.setdefault(place, {}) if place else body
        if isinstance(at, dict):
            at[directive] = draw(
                st.sampled_from(["delete", "replace", "merge", [], ["a"], [{"name": "c"}]]) | objects.ANYTHING
            )
    return body


def _pointer(draw: Draw, way: list[str | int]) -> str:
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in way]
    if draw(st.integers(0, 9)) == 0:
        parts.append(draw(st.sampled_from(["-", "²", "9" * 5000, "~2", ""])))
    return "/" + "/".join(parts) if draw(st.integers(0, 19)) else draw(hostile.strings())


@st.composite
def _strays(draw: Draw) -> Request:
    """Draw a request to what is no resource, with headers that are none."""
    known = [
        "/",
        "/api",
        "/apis",
        "/api/v1",
        "/apis/apps",
        "/openapi/v2",
        "/openapi/v3",
        "/openapi/v3/api/v1",
        "/version",
        "/livez/ping",
        "//",
        "/%00",
    ]
    path = draw(st.sampled_from(known) | hostile.strings().map(lambda text: "/" + _quoted(text)))
    header = draw(
        st.sampled_from(
            [
                "Accept",
                "Content-Type",
                "Impersonate-User",
                "Authorization",
                "User-Agent",
                "Origin",
                "Upgrade",
                "X",
            ]
        )
    )
    text = draw(hostile.strings(50))[:8000].replace("\r", "").replace("\n", "").replace("\x00", "")
    return Request(
        draw(st.sampled_from([*_METHODS, "HEAD", "OPTIONS", "TRACE", "X"])),
        path + draw(_queries()),
        b"",
        ((header, text),),
    )
