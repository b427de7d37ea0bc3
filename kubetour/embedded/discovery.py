"""Discovery: what the API serves, in the old form (one document per group version) and the aggregated one."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from kubetour.embedded.api import Object
from kubetour.embedded.negotiation import JSON, clauses
from kubetour.embedded.resources import RESOURCES, Resource, group_versions

AGGREGATED_VERSIONS = ("v2", "v2beta1")


def aggregated_version(accept: str) -> str:
    """Return the version of apidiscovery.k8s.io a client asks for first, or "" for the old form."""
    for media in clauses(accept):
        if media.kind == "APIGroupDiscoveryList" and media.version in AGGREGATED_VERSIONS:
            return media.version
        if media.name == JSON and not media.kind:
            break
    return ""


def aggregated_content_type(version: str) -> str:
    """Return the Content-Type by which clients know the aggregated form."""
    return f"{JSON};g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"


@cache
def api_versions(server: str) -> Object:
    """Return GET /api; `server` is the API server's own "host:port"."""
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": server}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}


def api_group(group: str) -> Object | None:
    """Return GET /apis/GROUP, or None if there is no such group."""
    versions = group_versions().get(group) if group else None
    if not versions:
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, versions)}


def _group(group: str, versions: list[str]) -> Object:
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": listed, "preferredVersion": listed[0]}


@cache
def api_group_list() -> Object:
    """Return GET /apis."""
    groups = [_group(group, versions) for group, versions in group_versions().items() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


@cache
def api_resource_list(group: str, version: str) -> Object | None:
    """Return GET /api/v1 or /apis/GROUP/VERSION, or None if it is not served."""
    served = [r for r in RESOURCES if (r.group, r.version) == (group, version)]
    if not served:
        return None
    resources = [entry for resource in served for entry in _entries(resource)]
    # The core group's list carries no apiVersion, as in a real cluster.
    head = {"kind": "APIResourceList", **({"apiVersion": "v1"} if group else {})}
    return {**head, "groupVersion": served[0].api_version, "resources": resources}


def _entries(resource: Resource) -> list[Object]:
    entry: Object = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if "list" in resource.verbs:
        entry["storageVersionHash"] = _storage_version_hash(resource)
    entries = [entry]
    for sub in resource.subresources:
        group, _, version = sub.group_version.rpartition("/")
        foreign = sub.group_version and sub.group_version != resource.api_version
        entries.append(
            {
                "name": f"{resource.plural}/{sub.name}",
                "singularName": "",
                "namespaced": resource.namespaced,
                **({"group": group, "version": version} if foreign else {}),
                "kind": sub.kind or resource.kind,
                "verbs": list(sub.verbs),
            }
        )
    return entries


def _storage_version_hash(resource: Resource) -> str:
    """Return the first 8 bytes of a hash of "group/version/kind": equal hashes mean one store."""
    group = "" if resource.plural == "events" else resource.group
    text = f"{group}/{resource.version}/{resource.kind}"
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()


@cache
def aggregated(core: bool, version: str) -> Object:
    """Return GET /api (core) or /apis in the aggregated form."""
    groups = {name: versions for name, versions in group_versions().items() if (name == "") is core}
    items = []
    for group, versions in groups.items():
        documents = []
        for number in versions:
            served = [r for r in RESOURCES if (r.group, r.version) == (group, number)]
            documents.append(
                {"version": number, "resources": [_discovery(r) for r in served], "freshness": "Current"}
            )
        items.append({"metadata": {"name": group} if group else {}, "versions": documents})
    api_version = f"apidiscovery.k8s.io/{version}"
    return {"kind": "APIGroupDiscoveryList", "apiVersion": api_version, "metadata": {}, "items": items}


def _discovery(resource: Resource) -> Object:
    entry: Object = {
        "resource": resource.plural,
        "responseKind": _response_kind(resource.kind, ""),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    subresources = [
        {
            "subresource": sub.name,
            "responseKind": _response_kind(sub.kind or resource.kind, sub.group_version),
            "verbs": list(sub.verbs),
        }
        for sub in resource.subresources
    ]
    if subresources:
        entry["subresources"] = subresources
    return entry


def _response_kind(kind: str, group_version: str) -> Object:
    """An empty group and version mean the resource's own."""
    group, _, version = group_version.rpartition("/")
    own = not group
    return {"group": group, "version": "" if own else version, "kind": kind}
