"""The API server against recordings of a real one: same requests, same answers (see recorded/README.md)."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from kubetour.embedded import discovery, tables
from kubetour.embedded.api import Object
from kubetour.embedded.resources import RESOURCES, by_plural
from tests.embedded.serving import Cluster, serving

RECORDED = Path(__file__).parent / "recorded"
# Differs on every run, or is given by components that these tests leave out (the controllers).
VARYING = {
    "uid": "UID",
    "resourceVersion": "RV",
    "creationTimestamp": "TIME",
    "deletionTimestamp": "TIME",
    "clusterIP": "IP",
    "clusterIPs": ["IP"],
    "nodePort": "PORT",
}


def recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_text(encoding="utf-8"))


def normal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: VARYING.get(key, normal(item)) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [normal(item) for item in value]
    return re.sub(r"^gen-\w{5}$", "gen-SUFFIX", value) if isinstance(value, str) else value


def without_controllers(obj: Any) -> Any:
    """Leave out what the deployment controller writes, what that does to the generation, and who wrote."""
    if isinstance(obj, dict) and "metadata" in obj:
        obj = {key: value for key, value in obj.items() if key != "status" or obj["kind"] == "Status"}
        metadata = dict(obj["metadata"])
        for field in ("annotations", "generation", "managedFields"):
            metadata.pop(field, None)
        obj["metadata"] = metadata
    return obj


async def prepare(cluster: Cluster, exchange: Object) -> Any:
    """Return the request to send; a stale update is of the object that is there now."""
    if exchange["title"] == "update with a stale resourceVersion":
        now = (await cluster.call("GET", exchange["path"])).json
        now["metadata"]["resourceVersion"] = exchange["request"]["metadata"]["resourceVersion"]
        return now
    return exchange["request"]


def test_every_recorded_exchange_gets_the_recorded_answer(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as cluster:
            for exchange in recorded("exchanges.json"):
                body = await prepare(cluster, exchange)
                answer = await cluster.call(
                    exchange["method"], exchange["path"], body, content_type=exchange["content_type"]
                )
                assert answer.status == exchange["status"], (exchange["title"], answer.text)
                expected = normal(without_controllers(exchange["response"]))
                assert normal(without_controllers(answer.json)) == expected, exchange["title"]

    asyncio.run(scenario())


@pytest.mark.parametrize("resource", sorted(recorded("columns.json")))
def test_a_table_has_the_recorded_columns(resource: str) -> None:
    columns = tables.column_definitions(by_plural(resource))
    found = [[c["name"], c["type"], c["format"], c["priority"]] for c in columns]
    assert found == recorded("columns.json")[resource]
    assert all(column["description"] for column in columns)


# Subresources of a real API server that the embedded one does not have.
ABSENT = {"proxy", "ephemeralcontainers", "resize", "token"}


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: f"{r.group}/{r.plural}")
def test_aggregated_discovery_is_as_recorded(resource: Any) -> None:
    expected = recorded("discovery.json")[f"{resource.group}/{resource.version}/{resource.plural}"]
    subresources = [s for s in expected.pop("subresources", []) if s["subresource"] not in ABSENT]
    groups = discovery.aggregated(resource.group == "", "v2")["items"]
    group = next(g for g in groups if g["metadata"].get("name", "") == resource.group)
    version = next(v for v in group["versions"] if v["version"] == resource.version)
    found = dict(next(r for r in version["resources"] if r["resource"] == resource.plural))
    assert found.pop("subresources", []) == subresources
    assert found == expected


def test_discovery_of_a_group_version_is_as_recorded() -> None:
    found = discovery.api_resource_list("apps", "v1")
    assert found is not None

    def comparable(entries: list[Object]) -> dict[str, Object]:
        return {r["name"]: {k: v for k, v in r.items() if k != "storageVersionHash"} for r in entries}

    expected = recorded("apps-v1-resources.json")
    assert comparable(found["resources"]) == comparable(expected["resources"])
    hashes = {r["name"]: r.get("storageVersionHash") for r in expected["resources"]}
    assert {r["name"]: r.get("storageVersionHash") for r in found["resources"]} == hashes
