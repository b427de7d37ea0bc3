"""OpenAPI v3, one document per group version: what `kubectl explain`, `apply` and `diff` read.

kubectl looks for four things: the kinds and their fields with descriptions; how each list merges; that PATCH
takes `dryRun` and `fieldValidation`; and which path belongs to which kind.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from typing import Any

from kubetour.embedded.api import Object
from kubetour.embedded.negotiation import JSON, PATCHES
from kubetour.embedded.registry import to_json
from kubetour.embedded.resources import RESOURCES, Resource
from kubetour.embedded.schema import client_version, documentation, element, kinds, required_fields, structs
from kubetour.embedded.strategicpatch import merge_key

GVK = "x-kubernetes-group-version-kind"
_META = {
    "V1ObjectMeta",
    "V1OwnerReference",
    "V1LabelSelector",
    "V1LabelSelectorRequirement",
    "V1DeleteOptions",
}
_TYPES: dict[str, Object] = {
    "any": {"type": "object"},
    "bool": {"type": "boolean"},
    "bytes": {"type": "string", "format": "byte"},
    "float": {"type": "number", "format": "double"},
    "int-or-string": {"oneOf": [{"type": "string"}, {"type": "integer"}], "format": "int-or-string"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "micro-time": {"type": "string", "format": "date-time"},
    "quantity": {"type": "string"},
    "string": {"type": "string"},
    "time": {"type": "string", "format": "date-time"},
}
# Scalars that have a name of their own in v3, which `kubectl explain` shows: <IntOrString>.
_NAMED = {
    "int-or-string": "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    "micro-time": "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
    "quantity": "io.k8s.apimachinery.pkg.api.resource.Quantity",
    "time": "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
}
_V3_REFS = "#/components/schemas/"
# Lists and structs that lose what a patch does not name: unions, of which only one member may be set.
_RETAIN_KEYS = {("V1PodSpec", "volumes"), ("V1PodSpec", "resourceClaims"), ("V1DeploymentSpec", "strategy")}
PARAMETERS = {
    "post": ("dryRun", "fieldManager", "fieldValidation"),
    "put": ("dryRun", "fieldManager", "fieldValidation"),
    "patch": ("dryRun", "fieldManager", "fieldValidation", "force"),
    "delete": ("dryRun", "gracePeriodSeconds", "propagationPolicy"),
    "get": (),
}


def schema_name(struct: str) -> str:
    """Return a struct's name as OpenAPI has it: "io.k8s.api.apps.v1.Deployment"."""
    for key, name in kinds().items():
        if name == struct:
            group, _, version = key.rpartition("/")[0].rpartition("/")
            return f"io.k8s.api.{group.removesuffix('.k8s.io') or 'core'}.{version}.{key.rpartition('/')[2]}"
    version, plain = _go_name(struct)
    if struct in _META:
        return f"io.k8s.apimachinery.pkg.apis.meta.{version}.{plain}"
    # What only one group uses is that group's own; what several share comes from the core.
    users = _users()[struct]
    return f"io.k8s.api.{next(iter(users)) if len(users) == 1 else 'core'}.{version}.{plain}"


@cache
def _users() -> dict[str, set[str]]:
    """Return, by struct, the groups whose kinds lead to it."""
    users: dict[str, set[str]] = {}
    for key, name in kinds().items():
        group = key.rpartition("/")[0].rpartition("/")[0]
        for struct in closure([name]):
            users.setdefault(struct, set()).add(group.removesuffix(".k8s.io") or "core")
    return users


def _go_name(struct: str) -> tuple[str, str]:
    match = re.match(r"(?:Core|Events|Discovery)?(V\d+(?:alpha\d+|beta\d+)?)(.+)", struct)
    return (match[1].lower(), match[2]) if match else ("v1", struct)


def closure(wanted: list[str]) -> list[str]:
    """Return these structs and all that their fields lead to, sorted."""
    found: set[str] = set()
    todo = list(wanted)
    while todo:
        struct = todo.pop()
        if struct not in found:
            found.add(struct)
            todo += [kind for kind in map(element, structs()[struct].values()) if kind in structs()]
    return sorted(found)


def struct_schema(struct: str, refs: str) -> Object:
    """Return a struct's schema; `refs` is the prefix of references ("#/components/schemas/")."""
    properties = {
        field: _property(struct, field, kind, refs) for field, kind in sorted(structs()[struct].items())
    }
    schema: Object = {
        "description": documentation(struct) or _go_name(struct)[1],
        "type": "object",
        "properties": properties,
    }
    if required_fields().get(struct):
        schema["required"] = required_fields()[struct]
    named = [key for key, name in kinds().items() if name == struct]
    if named:
        schema[GVK] = [_gvk(key) for key in named]
    return schema


def _gvk(key: str) -> Object:
    group, _, version = key.rpartition("/")[0].rpartition("/")
    return {"group": group, "kind": key.rpartition("/")[2], "version": version}


def _property(struct: str, field: str, kind: str, refs: str) -> Object:
    schema = {
        **_type(kind, refs),
        "description": documentation(struct, field),
    }
    key = merge_key(struct, field) if kind.startswith("[]") else None
    strategies = ["merge"] if key is not None else []
    if (struct, field) in _RETAIN_KEYS:
        strategies.append("retainKeys")
    if strategies:
        schema["x-kubernetes-patch-strategy"] = ",".join(strategies)
    if key:
        schema["x-kubernetes-patch-merge-key"] = key
    return schema


def _type(kind: str, refs: str) -> Object:
    if kind.startswith("[]"):
        return {"type": "array", "items": _type(kind[2:], refs)}
    if kind.startswith("map[string]"):
        return {"type": "object", "additionalProperties": _type(kind[11:], refs)}
    if kind in _NAMED and refs == _V3_REFS:
        return {"allOf": [{"$ref": refs + _NAMED[kind]}]}
    if kind in _TYPES:
        return dict(_TYPES[kind])
    # A reference alone may carry no description beside it; wrapped in allOf it may.
    return {"allOf": [{"$ref": refs + schema_name(kind)}]}


@cache
def document(group: str, version: str) -> str | None:
    """Return a group version's OpenAPI v3 document as JSON text, or None if it is not served."""
    served = [r for r in RESOURCES if (r.group, r.version) == (group, version)]
    if not served:
        return None
    wanted = [kinds()[f"{r.api_version}/{r.kind}"] for r in served] + ["V1DeleteOptions", "V1Scale"]
    schemas = {schema_name(name): struct_schema(name, _V3_REFS) for name in closure(wanted)}
    schemas.update({name: _TYPES[kind] for kind, name in _NAMED.items()})
    paths: Object = {}
    for resource in served:
        paths.update(_paths(resource))
    return to_json(
        {
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes (embedded)", "version": client_version()},
            "paths": paths,
            "components": {"schemas": schemas},
        }
    )


def _paths(resource: Resource) -> Object:
    collection, item = resource_paths(resource)
    verbs = resource.verbs
    paths = {
        collection: {
            method: _operation(resource, method, action)
            for method, verb, action in (("get", "list", "list"), ("post", "create", "post"))
            if verb in verbs
        },
        item: {
            method: _operation(resource, method, method)
            for method, verb in (("get", "get"), ("put", "update"), ("patch", "patch"), ("delete", "delete"))
            if verb in verbs
        },
    }
    return {path: operations for path, operations in paths.items() if operations}


def resource_paths(resource: Resource) -> tuple[str, str]:
    """Return the path templates of a resource's collection and of one object."""
    root = f"/apis/{resource.api_version}" if resource.group else f"/api/{resource.version}"
    scope = "/namespaces/{namespace}" if resource.namespaced else ""
    collection = f"{root}{scope}/{resource.plural}"
    return collection, f"{collection}/{{name}}"


def _operation(resource: Resource, method: str, action: str) -> Object:
    group, version = resource.group, resource.version
    reference = {"$ref": _V3_REFS + schema_name(kinds()[f"{resource.api_version}/{resource.kind}"])}
    owner = (group or "core").title().replace(".", "")
    operation: Object = {
        "operationId": f"{action}{owner}{version.title()}{resource.kind}",
        "parameters": [
            {"name": name, "in": "query", "schema": {"type": "string"}} for name in PARAMETERS[method]
        ],
        "responses": {"200": {"description": "OK", "content": {JSON: {"schema": reference}}}},
        "x-kubernetes-action": action,
        GVK: {"group": group, "kind": resource.kind, "version": version},
    }
    media = PATCHES if method == "patch" else (JSON,) if method in ("post", "put") else ()
    if media:
        body: dict[str, Any] = {"schema": {"type": "object"} if method == "patch" else reference}
        operation["requestBody"] = {"content": dict.fromkeys(media, body), "required": True}
    return operation


@cache
def index() -> Object:
    """Return GET /openapi/v3: where each document is, with a hash by which clients cache it."""
    paths = {}
    for resource in RESOURCES:
        path = f"apis/{resource.api_version}" if resource.group else f"api/{resource.version}"
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={_digest(resource)}"}
    return {"paths": paths}


def _digest(resource: Resource) -> str:
    """The document follows from the schema and this package, so their versions stand for its content."""
    served = [r for r in RESOURCES if r.api_version == resource.api_version]
    text = f"{client_version()} {_revision()} {served}"
    return hashlib.sha256(text.encode()).hexdigest().upper()


@cache
def _revision() -> str:
    return hashlib.sha256(
        to_json([structs(), sorted(_RETAIN_KEYS), _TYPES, _NAMED, PARAMETERS]).encode()
    ).hexdigest()
