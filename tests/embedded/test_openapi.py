"""OpenAPI: what kubectl looks for in v3 and in v2."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubetour.embedded import openapi, openapi_v2, protobuf
from kubetour.embedded.resources import RESOURCES, group_versions

GROUP_VERSIONS = [(group, version) for group, versions in group_versions().items() for version in versions]


def document(group: str, version: str) -> Any:
    text = openapi.document(group, version)
    assert text is not None
    return json.loads(text)


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(references(item) for item in value))
    return set()


@pytest.mark.parametrize(("group", "version"), GROUP_VERSIONS)
def test_every_reference_of_a_document_leads_somewhere(group: str, version: str) -> None:
    found = document(group, version)
    names = {f"#/components/schemas/{name}" for name in found["components"]["schemas"]}
    assert references(found) <= names


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: f"{r.group}/{r.plural}")
def test_a_patch_says_its_kind_and_its_parameters(resource: Any) -> None:
    if "patch" not in resource.verbs:
        return
    item = openapi.resource_paths(resource)[1]
    patch = document(resource.group, resource.version)["paths"][item]["patch"]
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    assert patch["x-kubernetes-group-version-kind"] == kind
    assert {"dryRun", "fieldValidation"} <= {parameter["name"] for parameter in patch["parameters"]}


def test_lists_say_how_they_merge() -> None:
    schemas = document("apps", "v1")["components"]["schemas"]
    spec = schemas["io.k8s.api.core.v1.PodSpec"]["properties"]
    assert spec["containers"]["x-kubernetes-patch-merge-key"] == "name"
    assert spec["volumes"]["x-kubernetes-patch-strategy"] == "merge,retainKeys"
    assert "x-kubernetes-patch-strategy" not in spec["tolerations"]


def test_the_index_lists_every_group_version_with_a_hash() -> None:
    paths = openapi.index()["paths"]
    assert set(paths) == {f"apis/{g}/{v}" if g else f"api/{v}" for g, v in GROUP_VERSIONS}
    hashes = [path["serverRelativeURL"].rpartition("hash=")[2] for path in paths.values()]
    assert len(set(hashes)) == len(hashes)


def test_a_group_that_is_not_served_has_no_document() -> None:
    assert openapi.document("nope.example", "v1") is None


def test_the_protobuf_of_v2_holds_the_definitions_of_the_json() -> None:
    fields = dict(protobuf._fields(openapi_v2.protobuf()))
    assert fields[1] == b"2.0"
    definitions = fields[9]
    assert isinstance(definitions, bytes)
    names = [dict(protobuf._fields(value))[1] for _, value in protobuf._fields(definitions)]  # type: ignore[arg-type]
    assert names == [name.encode() for name in sorted(openapi_v2.document()["definitions"])]
    assert len(openapi_v2.protobuf()) > 100_000


def test_v2_has_no_one_of_and_no_wrapped_reference() -> None:
    text = openapi_v2.json_text()
    assert '"oneOf"' not in text
    assert '"allOf"' not in text
    assert references(openapi_v2.document()) <= {
        f"#/definitions/{name}" for name in openapi_v2.document()["definitions"]
    }
