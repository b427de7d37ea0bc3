"""What a URL asks for, as k8s.io/apiserver's RequestInfo has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubetour.embedded import apierrors
from kubetour.embedded.resources import PROXY, Resource, by_path


@dataclass(frozen=True)
class RequestInfo:
    """A request for a resource; `name` is "" for the collection, `namespace` "" where there is none."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def flag(query: Mapping[str, str], name: str) -> bool:
    """Return a boolean parameter as Kubernetes reads it: all is true but "false" and "0", `?watch` too."""
    return query.get(name, "false").lower() not in ("false", "0")


def parse(path: str) -> RequestInfo | None:
    """Read /api/v1/… and /apis/GROUP/VERSION/…; None for a path outside them, 404 for an unknown resource."""
    parts = [part for part in path.split("/") if part]
    if len(parts) >= 3 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) >= 4 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) >= 3 and not _is_namespace_subresource(group, version, rest):
        namespace, rest = rest[1], rest[2:]
    resource = by_path(group, version, rest[0])
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 else ""
    if len(rest) > 3 and subresource == PROXY:
        rest = rest[:3]  # what follows is a path of its own
    if resource is None or len(rest) > 3 or (namespace and not resource.namespaced):
        raise apierrors.unknown_resource()
    if resource.namespaced and name and not namespace:
        raise apierrors.unknown_resource()
    if subresource and resource.subresource(subresource) is None:
        raise apierrors.unknown_resource()
    if resource.plural == "namespaces":
        return RequestInfo(resource, "", name, subresource)
    return RequestInfo(resource, namespace, name, subresource)


def _is_namespace_subresource(group: str, version: str, rest: list[str]) -> bool:
    namespaces = by_path(group, version, "namespaces")
    return len(rest) == 3 and namespaces is not None and namespaces.subresource(rest[2]) is not None
