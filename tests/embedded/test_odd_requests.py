"""Requests that the fuzzer has found to be answered badly, or not at all: each stays as it is mended."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from kubetour.embedded import protobuf
from kubetour.embedded.api import StatusError
from kubetour.embedded.patch import json_patch
from kubetour.embedded.quantity import canonical
from kubetour.embedded.selectors import parse_labels
from kubetour.embedded.validation.nodes import validate_node
from kubetour.embedded.validation.schedule import validate_schedule
from kubetour.embedded.validation.status import validate_status
from tests.embedded.serving import TABLE, Answer, serving

SPACE = "/api/v1/namespaces/default"
EVENT = {
    "metadata": {"name": "e"},
    "involvedObject": {"namespace": "default"},
    "lastTimestamp": "0001-01-01T00:00:00Z",
}
ENDPOINTS = {
    "metadata": {"name": "e"},
    "subsets": [{"addresses": [{"nodeName": "n"}], "ports": [{"port": 80}]}],
}
ACCOUNT_TOKEN = f"{SPACE}/serviceaccounts/default/token"
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"


def ask(tmp_path: Path, method: str, path: str, body: Any = None, **more: str) -> Answer:
    async def serve() -> Answer:
        async with serving(tmp_path) as cluster:
            return await cluster.call(method, path, body, **more)

    return asyncio.run(asyncio.wait_for(serve(), 20))


@pytest.mark.parametrize(
    ("method", "path", "body", "more", "status"),
    [
        ("POST", "/api/v1/namespaces", "[" * 100_000, {}, 400),
        ("POST", "/api/v1/namespaces", b"[" * 100_000, {"content_type": "application/yaml"}, 400),
        ("POST", "/api/v1/namespaces", "{}", {}, 422),
        ("POST", f"{SPACE}/pods", '{"kind": "\\ud800"}', {}, 400),
        ("POST", f"{SPACE}/configmaps", '{"metadata": {"name": "c"}, "data": {"k": "\\ud800"}}', {}, 201),
        ("POST", f"{SPACE}/configmaps", '{"metadata": {"name": "c"}, "": 1}', {}, 201),
        ("POST", f"{SPACE}/configmaps", '{"metadata": {"name": "c"}, "\\r\\nX: y": 1}', {}, 201),
        ("POST", f"{SPACE}/configmaps?fieldManager=%1b", '{"metadata": {"name": "c"}}', {}, 422),
        ("POST", f"{SPACE}/endpoints", ENDPOINTS, {"accept": TABLE}, 201),
        ("POST", f"{SPACE}/events", EVENT, {"accept": TABLE}, 201),
        ("POST", REVIEW, '{"a\\r": 1}', {}, 201),
        ("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "{}", {"accept": TABLE}, 201),
        ("POST", f"{SPACE}/bindings", '{"metadata": 1}', {}, 400),
        ("POST", f"{SPACE}/bindings", '{"metadata": {"name": "p"}, "target": [1]}', {}, 400),
        ("POST", f"{SPACE}/pods/p/eviction", '{"deleteOptions": "x"}', {}, 400),
        ("POST", ACCOUNT_TOKEN, '{"spec": "x"}', {}, 400),
        ("POST", ACCOUNT_TOKEN, '{"spec": {"expirationSeconds": "x"}}', {}, 400),
        ("POST", ACCOUNT_TOKEN, '{"spec": {"audiences": 5}}', {}, 400),
        ("POST", ACCOUNT_TOKEN, '{"spec": {"boundObjectRef": "x"}}', {}, 400),
        ("DELETE", f"{SPACE}/pods/p", '{"preconditions": 1}', {}, 400),
        ("DELETE", f"{SPACE}/pods/p", '{"gracePeriodSeconds": 1e30}', {}, 400),
        ("GET", "/api/v1/pods?limit=-1", None, {}, 200),
        ("GET", f"/api/v1/pods?limit={'9' * 30}", None, {}, 400),
        ("GET", f"/api/v1/pods?resourceVersion={'9' * 30}", None, {}, 400),
        ("GET", "/api/v1/pods?continue=eyJydiI6OTk5OTk5OTk5OTk5OTk5OTk5OTksInN0YXJ0IjoiYSJ9", None, {}, 400),
    ],
)
def test_it_is_answered_as_kubernetes_could_answer(
    tmp_path: Path, method: str, path: str, body: Any, more: dict[str, str], status: int
) -> None:
    answer = ask(tmp_path, method, path, body, **more)
    assert answer.status == status
    assert "kind" in json.loads(answer.text)


@pytest.mark.parametrize(
    ("content_type", "patch"),
    [
        ("application/merge-patch+json", '{"data": {"k": "\\ud800"}}'),
        ("application/strategic-merge-patch+json", '{"data": {"k": "\\ud800"}}'),
        ("application/json-patch+json", '[{"op": "add", "path": "/data", "value": {"k": "\\ud800"}}]'),
    ],
)
def test_a_patch_is_read_as_what_is_created(tmp_path: Path, content_type: str, patch: str) -> None:
    async def serve() -> tuple[Answer, Answer]:
        async with serving(tmp_path) as cluster:
            cluster.registry.create("configmaps", {"metadata": {"name": "c"}}, "default")
            path = f"{SPACE}/configmaps/c"
            deep = await cluster.call("PATCH", path, "[" * 100_000, content_type=content_type)
            return await cluster.call("PATCH", path, patch, content_type=content_type), deep

    changed, deep = asyncio.run(asyncio.wait_for(serve(), 20))
    assert (changed.status, changed.json["data"]) == (200, {"k": "\ufffd"})
    assert (deep.status, "exceeded max depth" in deep.json["message"]) == (400, True)


def test_a_warning_that_would_be_a_header_of_its_own_is_left_out(tmp_path: Path) -> None:
    body = '{"metadata": {"name": "c"}, "a\\r\\nX: y": 1, "b": 2}'
    answer = ask(tmp_path, "POST", f"{SPACE}/configmaps", body)
    assert answer.headers["Warning"] == '299 - "unknown field \\"b\\""'
    assert "X" not in answer.headers


def test_the_year_one_is_written_with_four_digits(tmp_path: Path) -> None:
    assert ask(tmp_path, "POST", f"{SPACE}/events", EVENT).json["lastTimestamp"] == "0001-01-01T00:00:00Z"


def test_copies_of_copies_are_bounded() -> None:
    doubling = [{"op": "copy", "from": "/a", "path": "/a/-"}] * 40
    with pytest.raises(StatusError) as caught:
        json_patch({"a": ["x"]}, doubling)
    assert caught.value.code == 422


def test_a_patch_has_only_so_many_operations_and_no_depth_without_end() -> None:
    with pytest.raises(StatusError) as caught:
        json_patch({}, [{"op": "test", "path": "", "value": {}}] * 10_001)
    assert caught.value.code == 413
    deeper = [{"op": "add", "path": "/a" * n, "value": {}} for n in range(1, 150)]
    with pytest.raises(StatusError) as caught:
        json_patch({}, deeper)
    assert caught.value.code == 400


@pytest.mark.parametrize("text", ["1e999999999", "1e-999999999", "1E+12345", "٣", "1\n"])
def test_a_quantity_that_would_fill_the_memory_or_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match"):
        canonical(text)


def test_a_number_of_protobuf_has_at_most_ten_bytes() -> None:
    with pytest.raises(StatusError) as caught:
        protobuf.parse(protobuf.MAGIC + b"\x80" * 1_000_000)
    assert caught.value.code == 400


def test_a_selector_of_brackets_and_commas_is_split_at_the_commas_outside() -> None:
    found = parse_labels("a in (b,c),d,!e")
    assert [(term.key, term.operator, sorted(term.values)) for term in found.requirements] == [
        ("a", "In", ["b", "c"]),
        ("d", "Exists", []),
        ("e", "DoesNotExist", []),
    ]
    with pytest.raises(StatusError):
        parse_labels("," * 100_000)


MANY = 100_000


@pytest.mark.parametrize("schedule", ["@every " + "1" * MANY, "TZ=" * MANY, "CRON_TZ=" + "x" * MANY])
def test_a_schedule_takes_no_time_without_end(schedule: str) -> None:
    assert validate_schedule(schedule, "spec.schedule")


def test_neither_do_many_taints_and_addresses() -> None:
    taints = [{"key": f"k{number}", "effect": "NoExecute"} for number in range(MANY)]
    addresses = [{"type": "InternalIP", "address": str(number)} for number in range(MANY)]
    assert validate_node({"spec": {"taints": taints}}) == []
    assert validate_status("nodes", {"status": {"addresses": addresses}}, {}) == []


@pytest.mark.parametrize(
    "patch", ['{"metadata": null}', '{"spec": []}', "[]", '{"spec": {"maxReplicas": "x"}}']
)
def test_a_patch_of_a_view_that_leaves_no_object_is_refused(tmp_path: Path, patch: str) -> None:
    path = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
    body = {"metadata": {"name": "h"}, "spec": {"maxReplicas": 2, "scaleTargetRef": target}}

    async def serve() -> Answer:
        async with serving(tmp_path) as cluster:
            assert (await cluster.call("POST", path, body)).status == 201
            return await cluster.call(
                "PATCH", f"{path}/h", patch, content_type="application/merge-patch+json"
            )

    assert asyncio.run(asyncio.wait_for(serve(), 20)).status == 400
