"""What an engineer's client asks, and gets wrong: status, and Kubernetes' own words."""
# ruff: noqa: E501 -- the messages are long, and cutting them would hide what is compared

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubetour.embedded.serviceaccount_tokens import ADMIN, ISSUER
from tests.embedded.serving import TOKEN, Answer, serving

MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
MAP = {"metadata": {"name": "m", "namespace": "default"}, "data": {"a": "1"}}
MERGE, STRATEGIC, JSON_PATCH = (
    f"application/{kind}+json" for kind in ("merge-patch", "strategic-merge-patch", "json-patch")
)
OBJECT = "json: cannot unmarshal array into Go value of type map[string]interface {}"


async def _ask(directory: Path, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
    async with serving(directory) as cluster:
        made = await cluster.call("POST", MAPS, MAP)
        assert made.status == 201
        return await cluster.call(method, path.replace("UID", made.json["metadata"]["uid"]), body, **headers)


def ask(directory: Path, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    return asyncio.run(asyncio.wait_for(_ask(directory, method, path, body, headers), 20))


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "status", "message"),
    [
        ("POST", f"{MAPS}?dryRun=Some", MAP, "", 422, 'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"'),
        ("PUT", f"{MAPS}/m?fieldValidation=Hard", MAP, "", 422, 'UpdateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Hard": supported values: "", "Ignore", "Strict", "Warn"'),
        ("PATCH", f"{MAPS}/m?fieldManager={'x' * 129}", {}, MERGE, 422, 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes'),
        ("POST", f"{MAPS}?fieldManager=a%07", {"metadata": {"name": "n"}}, "", 422, 'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\\u0007": invalid character U+0007 (at position 1)'),
        ("PATCH", f"{MAPS}/m", {"metadata": {"name": "n"}}, MERGE, 400, "the name of the object (n) does not match the name on the URL (m)"),
        ("PATCH", f"{MAPS}/m", {"metadata": {"namespace": "n"}}, MERGE, 400, "the namespace of the provided object does not match the namespace sent on the request"),
        ("PUT", f"{MAPS}/m", {"metadata": {"name": "n"}}, "", 400, "the name of the object (n) does not match the name on the URL (m)"),
        ("PATCH", f"{MAPS}/m", "{bad", MERGE, 400, "error decoding patch: invalid character 'b' looking for beginning of object key string"),
        ("PATCH", f"{MAPS}/m", [{"op": "x"}], MERGE, 400, f"error decoding patch: {OBJECT}"),
        ("PATCH", f"{MAPS}/m", [{"op": "x"}], STRATEGIC, 400, OBJECT),
        ("PATCH", f"{MAPS}/m", {"data": {}}, JSON_PATCH, 400, "json: cannot unmarshal object into Go value of type jsonpatch.Patch"),
        ("PATCH", f"{MAPS}/m", [{"op": "grow", "path": "/data"}], JSON_PATCH, 422, "the server rejected our request due to an error in our request"),
        ("PUT", f"{MAPS}/m", {"metadata": {"name": "m", "uid": "u"}}, "", 409, 'Operation cannot be fulfilled on configmaps "m": StorageError: invalid object, Code: 4, Key: /registry/configmaps/default/m, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: u, UID in object meta: '),
        ("POST", MAPS, {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p"}}, "", 400, 'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown conversion'),
        ("POST", DEPLOYMENTS, {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p"}}, "", 400, 'Pod in version "v1" cannot be handled as a Deployment: converting (v1.Pod) to (apps.Deployment): unknown conversion'),
        ("GET", f"{MAPS}?sendInitialEvents=true", None, "", 422, 'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list'),
        ("GET", f"{MAPS}?watch=true&sendInitialEvents=true", None, "", 422, 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
        ("GET", f"{MAPS}?watch=true&resourceVersionMatch=Exact", None, "", 422, 'ListOptions.meta.k8s.io "" is invalid: [resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]'),
        ("GET", f"{MAPS}?timeoutSeconds=soon", None, "", 400, 'strconv.ParseInt: parsing "soon": invalid syntax'),
        ("GET", "/api/v1/namespaces/default/pods/p/log?tailLines=-1&limitBytes=0", None, "", 422, 'PodLogOptions "p" is invalid: [tailLines: Invalid value: -1: must be greater than or equal to 0, limitBytes: Invalid value: 0: must be greater than 0]'),
        ("GET", "/api/v1/namespaces/default/pods/p/log?tailLines=all", None, "", 400, 'strconv.ParseInt: parsing "all": invalid syntax'),
        ("GET", "/api/v2", None, "", 404, "the server could not find the requested resource"),
        ("GET", "/apis/apps/v9", None, "", 404, "the server could not find the requested resource"),
    ],
)  # fmt: skip
def test_what_is_asked_wrongly_is_said_so(
    tmp_path: Path, method: str, path: str, body: Any, kind: str, status: int, message: str
) -> None:
    answer = ask(tmp_path, method, path, body, **({"content_type": kind} if kind else {}))
    found = answer.json["message"]
    assert (answer.status, found[: len(message)]) == (status, message)


@pytest.mark.parametrize("query", ["watch", "watch=", "watch=1", "watch=yes"])
def test_any_value_of_watch_but_false_is_one(tmp_path: Path, query: str) -> None:
    answer = ask(tmp_path, "GET", f"{MAPS}?timeoutSeconds=1&labelSelector=no&{query}")
    assert (answer.status, answer.text) == (200, "")


@pytest.mark.parametrize("query", ["watch=0", "watch=False", ""])
def test_without_it_is_a_list(tmp_path: Path, query: str) -> None:
    assert ask(tmp_path, "GET", f"{MAPS}?{query}").json["kind"] == "ConfigMapList"


@pytest.mark.parametrize(
    ("agent", "query", "indented"),
    [("curl/8.1", "", True), ("Mozilla/5.0 (X11)", "", True), ("kubectl/v1.36", "", False), ("kubectl/v1.36", "?pretty=true", True), ("curl/8.1", "?pretty=false", False)],
)  # fmt: skip
def test_people_get_their_answers_indented(tmp_path: Path, agent: str, query: str, indented: bool) -> None:
    answer = ask(tmp_path, "GET", f"{MAPS}/m{query}", User_Agent=agent)
    assert answer.text.startswith('{\n  "kind": "ConfigMap",\n  "apiVersion": "v1",') == indented
    assert answer.json["data"] == {"a": "1"}


@pytest.mark.parametrize(
    ("path", "agent", "begins"),
    [(f"{MAPS}/none", "curl/8", '{\n  "kind": "Status"'), ("/version", "kubectl", '{\n  "major": "1",')],
)
def test_so_are_errors_and_the_version_for_everybody(
    tmp_path: Path, path: str, agent: str, begins: str
) -> None:
    assert ask(tmp_path, "GET", path, User_Agent=agent).text.startswith(begins)


def test_what_yaml_may_take_for_a_lines_end_is_escaped_in_it(tmp_path: Path) -> None:
    odd = {"metadata": {"name": "n"}, "data": {"k": "é\x85\u2028\n\u2029"}}
    answer = ask(tmp_path, "POST", MAPS, odd, accept="application/yaml")
    assert yaml.safe_load(answer.text)["data"] == odd["data"]


def test_yaml_is_answered_where_it_is_asked_for(tmp_path: Path) -> None:
    answer = ask(tmp_path, "GET", f"{MAPS}/m", accept="application/yaml")
    assert answer.headers["Content-Type"] == "application/yaml"
    assert yaml.safe_load(answer.text)["data"] == {"a": "1"}
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(answer.text)


REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"


@pytest.mark.parametrize(
    ("token", "status"),
    [
        (TOKEN, {"authenticated": True, "user": ADMIN, "audiences": [ISSUER]}),
        ("nobody's", {"user": {}, "error": "invalid bearer token"}),
        ("a.b.c", {"user": {}, "error": "invalid bearer token"}),
    ],
)
def test_a_token_is_reviewed(tmp_path: Path, token: str, status: Any) -> None:
    answer = ask(tmp_path, "POST", REVIEWS, {"spec": {"token": token}})
    assert (answer.status, answer.json["status"]) == (201, status)


def test_there_is_no_review_of_nothing(tmp_path: Path) -> None:
    answer = ask(tmp_path, "POST", REVIEWS, {"spec": {}})
    assert (answer.status, answer.json["message"]) == (
        400,
        "token is required for TokenReview in authentication",
    )
