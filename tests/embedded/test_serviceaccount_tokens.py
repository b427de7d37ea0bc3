"""Tokens of service accounts over HTTP: what they say, whom they let in, and when they end."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from kubetour.embedded.clock import SystemClock
from tests.embedded.serving import Cluster, serving

TOKEN = "/api/v1/namespaces/default/serviceaccounts/robot/token"
WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
POD = {
    "metadata": {"name": "p"},
    "spec": {"serviceAccountName": "robot", "containers": [{"name": "c", "image": "x"}]},
}
Test = Callable[[Cluster], Awaitable[None]]


class LateClock(SystemClock):
    """A machine's clock that can be put forward."""

    late = timedelta()

    def now(self) -> datetime:
        return super().now() + self.late


def on_a_server(test: Test) -> Callable[[Path], None]:
    """Run an asynchronous test with an API server that has a ServiceAccount `robot`."""

    @wraps(test)
    def run(tmp_path: Path) -> None:
        async def whole() -> None:
            async with serving(tmp_path, LateClock()) as cluster:
                cluster.registry.create("serviceaccounts", {"metadata": {"name": "robot"}}, "default")
                await test(cluster)

        asyncio.run(whole())

    run.__annotations__ = {"tmp_path": Path}
    del run.__wrapped__
    return run


async def issued(cluster: Cluster, **spec: Any) -> str:
    answer = await cluster.call("POST", TOKEN, {"spec": spec})
    assert answer.status == 201, answer.text
    token: str = answer.json["status"]["token"]
    return token


async def who(cluster: Cluster, token: str) -> Any:
    answer = await cluster.call("POST", WHO, {}, token=token)
    return answer.json["status"]["userInfo"] if answer.status == 201 else answer.status


@on_a_server
async def test_whoever_has_the_token_is_the_account(cluster: Cluster) -> None:
    user = await who(cluster, await issued(cluster))
    uid = cluster.registry.get("serviceaccounts", "robot", "default")["metadata"]["uid"]
    (credential,) = user["extra"].pop("authentication.kubernetes.io/credential-id")
    assert credential.startswith("JTI=")
    assert user == {
        "username": "system:serviceaccount:default:robot",
        "uid": uid,
        "groups": [
            "system:serviceaccounts",
            "system:serviceaccounts:default",
            "system:authenticated",
        ],
        "extra": {},
    }


@on_a_server
async def test_the_answer_says_what_was_asked_for_and_got(cluster: Cluster) -> None:
    answer = (await cluster.call("POST", TOKEN, {"spec": {"expirationSeconds": 900}})).json
    assert (answer["kind"], answer["apiVersion"]) == ("TokenRequest", "authentication.k8s.io/v1")
    assert answer["spec"]["expirationSeconds"] == 900
    claims = answer["status"]["token"].split(".")[1]
    found = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert found["exp"] - found["iat"] == 900
    assert found["sub"] == "system:serviceaccount:default:robot"
    assert found["aud"] == answer["spec"]["audiences"]


@on_a_server
async def test_a_token_that_was_changed_or_made_up_lets_nobody_in(cluster: Cluster) -> None:
    head, claims, signature = (await issued(cluster)).split(".")
    for token in (f"{head}.{claims}x.{signature}", f"{head}.{claims}.", "x.y.z", f"{head}.{claims}", "."):
        assert await who(cluster, token) == 401


@on_a_server
async def test_a_token_ends_with_its_time(cluster: Cluster) -> None:
    token = await issued(cluster, expirationSeconds=600)
    LateClock.late = timedelta(seconds=601)
    try:
        assert await who(cluster, token) == 401
    finally:
        LateClock.late = timedelta()


@on_a_server
async def test_a_token_ends_with_its_account_also_where_another_has_its_name(cluster: Cluster) -> None:
    token = await issued(cluster)
    cluster.registry.delete("serviceaccounts", "robot", "default")
    assert await who(cluster, token) == 401
    cluster.registry.create("serviceaccounts", {"metadata": {"name": "robot"}}, "default")
    assert await who(cluster, token) == 401


@on_a_server
async def test_a_token_for_a_pod_ends_with_the_pod(cluster: Cluster) -> None:
    cluster.registry.create("pods", POD, "default")
    token = await issued(cluster, boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "p"})
    assert (await who(cluster, token))["extra"]["authentication.kubernetes.io/pod-name"] == ["p"]
    cluster.registry.delete("pods", "p", "default", grace_period_seconds=0)
    assert await who(cluster, token) == 401


@on_a_server
async def test_a_token_for_somebody_else_lets_nobody_in_here(cluster: Cluster) -> None:
    assert await who(cluster, await issued(cluster, audiences=["vault"])) == 401


@pytest.mark.parametrize(
    ("spec", "status", "text"),
    [
        pytest.param(
            {"expirationSeconds": 5},
            422,
            'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: '
            "Invalid value: 5: may not specify a duration less than 10 minutes",
            id="too short",
        ),
        pytest.param(
            {"expirationSeconds": 2**33},
            422,
            "may not specify a duration larger than 2^32 seconds",
            id="too long",
        ),
        pytest.param(
            {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "no"}},
            404,
            'pods "no" not found',
            id="no such Pod",
        ),
        pytest.param(
            {"boundObjectRef": {"kind": "Service", "apiVersion": "v1", "name": "n"}},
            400,
            "cannot bind token to object of type /v1, Kind=Service",
            id="bound to a kind that cannot be",
        ),
    ],
)
def test_what_cannot_be_had_is_said(tmp_path: Path, spec: Any, status: int, text: str) -> None:
    @on_a_server
    async def test(cluster: Cluster) -> None:
        answer = await cluster.call("POST", TOKEN, {"spec": spec})
        assert answer.status == status
        assert text in answer.json["message"]

    test(tmp_path)


@on_a_server
async def test_there_is_no_token_of_an_account_that_is_not_there(cluster: Cluster) -> None:
    answer = await cluster.call("POST", TOKEN.replace("robot", "nobody"), {})
    assert (answer.status, answer.json["message"]) == (404, 'serviceaccounts "nobody" not found')
