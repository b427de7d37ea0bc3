"""Lifecycle hooks of real processes, in their order, and what becomes of them when they fail."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kubetour.embedded.kubelet_hooks import grace_left
from kubetour.embedded.network import loopback_range_usable
from tests.embedded.node import (
    SERVE,
    FastClock,
    Node,
    Object,
    condition,
    container,
    on_a_node,
    statuses,
    until_printed,
)

pytestmark = pytest.mark.skipif(not loopback_range_usable(), reason="only 127.0.0.1 is usable here")
STUBBORN = "trap '' TERM; echo up; while :; do sleep 0.01; done"


class NotingClock(FastClock):
    """A fast clock that notes for how long was waited."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await super().sleep(seconds)


def shell(script: str) -> Object:
    return {"exec": {"command": ["sh", "-c", script]}}


def pre_stop(hook: Object) -> Object:
    return {"lifecycle": {"preStop": hook}}


def post_start(hook: Object) -> Object:
    return {"lifecycle": {"postStart": hook}}


async def begun_and_deleted(node: Node, hook: Object, **spec: Any) -> None:
    node.create(pre_stop(hook), **spec)
    await until_printed_by(node)
    await node.ready()
    node.registry.delete("pods", "p", "default")
    await node.until(node.gone)


async def until_printed_by(node: Node) -> None:
    await node.until(lambda: statuses(node.pod()) and container(node.pod())["started"])
    await until_printed(node, "up")


@pytest.mark.parametrize(
    ("grace", "took", "left"),
    [
        pytest.param(30, 10.9, 20, id="what the hook took counts, in whole seconds"),
        pytest.param(30, 30.0, 2, id="a hook that took everything leaves two seconds"),
        pytest.param(1, 0, 2, id="as does a short grace period"),
    ],
)
def test_a_hook_takes_its_time_from_the_grace_period(grace: float, took: float, left: float) -> None:
    assert grace_left(grace, took) == left


@on_a_node()
async def test_pre_stop_runs_before_the_stop_signal(node: Node) -> None:
    said = node.root / "said"
    node.load(f"trap 'echo signal >> {said}; exit 0' TERM; echo up; while :; do sleep 0.01; done")
    await begun_and_deleted(node, shell(f"sleep 0.1; echo hook >> {said}"))
    assert said.read_text() == "hook\nsignal\n"
    assert [reason for reason, _ in node.events()][-1] == "Killing"


@on_a_node()
async def test_an_http_hook_asks_the_container_whatever_it_answers(node: Node) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 500 No\r\n\r\n")
        writer.close()

    node.load(SERVE)
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await begun_and_deleted(node, {"httpGet": {"host": "127.0.0.1", "port": port, "path": "/bye"}})
    assert asked[0].startswith(b"GET /bye HTTP/1.1\r\n")
    assert b"User-Agent: kube-lifecycle/1.36\r\n" in asked[0]
    assert "FailedPreStopHook" not in dict(node.events())


@on_a_node(NotingClock)
async def test_a_sleep_is_a_hook(node: Node) -> None:
    node.load(SERVE)
    await begun_and_deleted(node, {"sleep": {"seconds": 7}})
    assert 7.0 in node.registry.clock.waits  # type: ignore[attr-defined]
    assert "FailedPreStopHook" not in dict(node.events())


@pytest.mark.parametrize(
    "hook",
    [
        pytest.param(shell("exit 3"), id="an exit status"),
        pytest.param({"exec": {"command": ["no-such-program"]}}, id="no such program"),
        pytest.param({"httpGet": {"port": 1}}, id="nobody listens"),
        pytest.param({"tcpSocket": {"port": 1}}, id="a kind that the API has and no kubelet"),
    ],
)
def test_a_pre_stop_hook_that_fails_is_told_and_the_container_stops(short: Path, hook: Object) -> None:
    @on_a_node()
    async def test(node: Node) -> None:
        node.load(SERVE)
        await begun_and_deleted(node, hook)
        assert ("FailedPreStopHook", "PreStopHook failed") in node.events()

    test(short)


@on_a_node(NotingClock)
async def test_a_pre_stop_hook_without_end_takes_the_grace_period_and_two_seconds_more(node: Node) -> None:
    node.load(STUBBORN)
    await begun_and_deleted(node, shell("sleep 600"), terminationGracePeriodSeconds=40)
    waits = node.registry.clock.waits  # type: ignore[attr-defined]
    assert waits[waits.index(40.0) + 1 :].count(2.0) == 1
    # The hook ended with its container.
    assert ("FailedPreStopHook", "PreStopHook failed") in node.events()


@on_a_node()
async def test_a_shorter_grace_period_takes_over_from_a_hook(node: Node) -> None:
    node.load(SERVE)
    node.create(pre_stop({"sleep": {"seconds": 500}}), terminationGracePeriodSeconds=600)
    await until_printed_by(node)
    node.registry.delete("pods", "p", "default")
    await node.until(lambda: ("Killing", "Stopping container c") in node.events())
    node.registry.delete("pods", "p", "default", grace_period_seconds=1)
    await node.until(node.gone)


@on_a_node(FastClock)
async def test_a_container_that_fails_its_liveness_probe_has_its_pre_stop_hook_run(node: Node) -> None:
    said = node.root / "said"
    node.load(SERVE)
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 1, "timeoutSeconds": 50}
    node.create({"livenessProbe": probe, **pre_stop(shell(f"echo hook >> {said}"))})
    await node.until(lambda: statuses(node.pod()) and container(node.pod())["restartCount"])
    assert said.read_text().startswith("hook\n")


@on_a_node()
async def test_a_container_has_started_when_its_post_start_hook_is_over(node: Node) -> None:
    flag = node.root / "flag"
    node.load(SERVE)
    node.create(
        {"name": "c", **post_start(shell(f"touch {flag}.seen; while ! test -e {flag}; do sleep 0.01; done"))},
        {"name": "next"},
    )
    await node.until(Path(f"{flag}.seen").exists)
    assert ("Started", "Container started") in node.events()
    assert condition(node.pod(), "Ready") == "False"
    assert [each["state"] for each in statuses(node.pod())] == [
        {"waiting": {"reason": "ContainerCreating"}}
    ] * 2
    flag.touch()
    pod = await node.ready()
    assert [each["started"] for each in statuses(pod)] == [True, True]


@on_a_node(FastClock)
async def test_a_container_whose_post_start_hook_fails_is_killed_and_started_again(node: Node) -> None:
    node.load(SERVE)
    seen: list[Object] = []
    node.api.of("pods").add_handler(lambda _, new: seen.append(new) if new else None)
    node.create(post_start(shell("echo to its log; echo why >&2; exit 3")))
    found = await node.waiting("CrashLoopBackOff")
    assert found["restartCount"] == 1
    events = node.events()
    assert ("FailedPostStartHook", "PostStartHook failed") in events
    assert ("Killing", "FailedPostStartHook") in events
    told = [container(pod)["state"].get("waiting", {}) for pod in seen if statuses(pod)]
    uid = node.pod()["metadata"]["uid"]
    command = "sh -c echo to its log; echo why >&2; exit 3"
    assert {
        "reason": "PostStartHookError",
        "message": f'Exec lifecycle hook ([{command}]) for Container "c" in Pod "p_default({uid})" failed - '
        f"error: command '{command}' exited with 3: why\n, message: \"to its log\\nwhy\\n\"",
    } in told
    assert not any(waiting.get("reason") == "PostStartHookError" for waiting in [found["state"]["waiting"]])


@on_a_node()
async def test_a_container_that_is_not_to_run_again_stays_as_its_failed_hook_left_it(node: Node) -> None:
    node.load(SERVE)
    node.create(post_start(shell("exit 1")), restartPolicy="Never")
    await node.until(lambda: statuses(node.pod()) and "terminated" in container(node.pod())["state"])
    assert container(node.pod())["restartCount"] == 0


@on_a_node()
async def test_a_pod_can_be_deleted_while_its_post_start_hook_runs(node: Node) -> None:
    node.load(SERVE)
    seen = node.root / "seen"
    node.create(post_start(shell(f"touch {seen}; sleep 600")))
    await node.until(seen.exists)
    node.registry.delete("pods", "p", "default")
    await node.until(node.gone)
    assert "FailedPostStartHook" not in dict(node.events())
