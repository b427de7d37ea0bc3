"""The known causes of failed rollouts: from objects as the API server gives them."""

from __future__ import annotations

from typing import Any

import pytest

from kubetour.codes import TABLE
from kubetour.diagnosis import RANK, crashed, diagnose
from kubetour.text import Text
from tests.shapes import OURS, node, pod, replicaset, service


def waiting(name: str, reason: str, code: int | None = None, ended: str = "Error") -> dict[str, Any]:
    item = pod(name, ready=False)
    container = item["status"]["containerStatuses"][0]
    container["state"] = {"waiting": {"reason": reason, "message": "…"}}
    container["lastState"] = {} if code is None else {"terminated": {"exitCode": code, "reason": ended}}
    return item


def unscheduled(name: str) -> dict[str, Any]:
    condition = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}
    return {"metadata": {"name": name}, "status": {"phase": "Pending", "conditions": [condition]}}


@pytest.mark.parametrize(
    ("item", "key", "values"),
    [
        (waiting("a", "ErrImagePull"), "cause.image", {"reason": "ErrImagePull"}),
        (waiting("a", "ImagePullBackOff"), "cause.image", {"reason": "ImagePullBackOff"}),
        (waiting("a", "ErrImageNeverPull"), "cause.image-never", {"image": "docker.io/library/web:1"}),
        (waiting("a", "InvalidImageName"), "cause.image", {"pod": "a"}),
        (waiting("a", "CrashLoopBackOff", 1), "cause.crash", {"code": 1}),
        (waiting("a", "CrashLoopBackOff", 137), "cause.crash", {"code": 137}),
        (waiting("a", "CrashLoopBackOff", 137, "OOMKilled"), "cause.memory", {"pod": "a"}),
        (waiting("a", "RunContainerError"), "cause.crash", {"code": "?"}),
        (waiting("a", "CreateContainerConfigError"), "cause.config", {"message": "…"}),
        (pod("a", ready=False), "cause.probe", {"pod": "a"}),
        (unscheduled("a"), "cause.unscheduled", {"reason": "0/3 nodes are available"}),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_pod_shows_what_stands_in_its_way(item: dict[str, Any], key: str, values: dict[str, Any]) -> None:
    (found,) = diagnose({"pods": (item,)})
    assert found.key == key
    assert values.items() <= found.values.items()


@pytest.mark.parametrize(
    "item", [pod("a"), waiting("a", "ContainerCreating"), waiting("a", "PodInitializing")]
)
def test_a_pod_that_is_well_or_on_its_way_shows_nothing(item: dict[str, Any]) -> None:
    assert diagnose({"pods": (item,)}) == ()


@pytest.mark.parametrize(("ready", "count"), [("True", 0), ("False", 1), ("Unknown", 1)])
def test_a_node_that_is_not_ready_is_a_cause(ready: str, count: int) -> None:
    assert [text.key for text in diagnose({"nodes": (node(ready=ready),)})] == ["cause.node"] * count


def test_the_likeliest_cause_comes_first() -> None:
    pods = (
        pod("e", ready=False),
        unscheduled("d"),
        waiting("c", "CrashLoopBackOff"),
        waiting("b", "ErrImagePull"),
    )
    found = diagnose({"nodes": (node(ready="False"),), "pods": pods})
    assert [text.key for text in found] == [
        "cause.image",
        "cause.crash",
        "cause.unscheduled",
        "cause.node",
        "cause.probe",
    ]


def test_a_service_whose_selector_just_misses_the_pods_is_a_cause_after_all_others() -> None:
    wrong = service("web", {"app": "web-typo"})
    pods = (pod("web-1-a", {"app": "web"}), pod("b", ready=False))
    crash, selector = diagnose({"services": (wrong,), "pods": pods})
    assert (crash.key, selector.key) == ("cause.probe", "cause.selector")
    assert selector.values["label"] == "app"
    assert selector.values["pods"] == "web-1-a"


def test_a_service_that_finds_pods_or_looks_for_none_is_no_cause() -> None:
    found, nothing = service("web"), service("kubernetes")
    nothing["spec"]["selector"] = None
    behind = pod("web-1-a", {"app": "web"})
    behind["spec"]["containers"][0]["ports"] = [{"name": "http", "containerPort": 8080}]
    assert diagnose({"services": (found, nothing), "pods": (behind,)}) == ()
    behind["spec"]["containers"][0]["ports"][0]["name"] = "web"
    (port,) = diagnose({"services": (found, nothing), "pods": (behind,)})
    assert (port.key, port.values["port"], port.values["declared"]) == (
        "cause.target-port",
        "http",
        "web/8080",
    )


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("OSError: [Errno 98] Address already in use", "cause.address"),
        ("Error: listen EADDRINUSE: address already in use 0.0.0.0:3000", "cause.address"),
        ("listen tcp :3000: bind: address already in use", "cause.address"),
        ("nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)", "cause.denied"),
        ("chown(/var/cache/nginx) failed (1: Operation not permitted)", "cause.denied"),
        ("OSError: [Errno 30] Read-only file system: '/app/x'", "cause.denied"),
        ("OSError: [Errno 28] No space left on device: '/data/x'", "cause.space"),
        ("KeyError: 'DATABASE_URL'", "cause.crash"),
    ],
)
def test_the_log_of_a_pod_that_crashes_tells_why(line: str, key: str) -> None:
    objects = {"pods": (waiting("a", "CrashLoopBackOff", 1), pod("b"))}
    assert crashed(objects) == ("a",)
    (found,) = diagnose(objects, {"a": f"starting\n  {line}\nbye"})
    assert found.key == key
    assert key == "cause.crash" or found.values["line"] == line


QUOTA = 'pods "web-1-x" is forbidden: exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2'
RANGE = 'pods "web-1-x" is forbidden: maximum memory usage per Container is 64Mi, but limit is 256Mi'
LEVEL = (
    'pods "web-1-x" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false'
)


@pytest.mark.parametrize(
    ("message", "key"),
    [
        pytest.param(QUOTA, "cause.quota", id="ResourceQuota"),
        pytest.param(RANGE, "cause.quota", id="LimitRange"),
        pytest.param(LEVEL, "cause.refused", id="Pod Security"),
    ],
)
def test_a_replicaset_that_can_make_no_pods_says_why(message: str, key: str) -> None:
    failed = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    item = {**replicaset("web-1"), "status": {"replicas": 0, "conditions": [failed]}}
    assert diagnose({"replicasets": (item, replicaset("web-2"))}) == (
        Text(key, {"owner": "replicaset/web-1", "message": message}),
    )


def test_a_node_without_space_and_a_pod_evicted_for_it_are_causes() -> None:
    full = node("n1")
    full["status"]["conditions"].append(
        {"type": "DiskPressure", "status": "True", "message": "kubelet has disk pressure"}
    )
    said = "The node was low on resource: ephemeral-storage. Threshold quantity: 1Gi, available: 3Mi. "
    evicted = {"metadata": {"name": "a"}, "status": {"phase": "Failed", "reason": "Evicted", "message": said}}
    pod_cause, node_cause = diagnose({"nodes": (full,), "pods": (evicted,)})
    assert pod_cause == Text("cause.space", {"where": "pod/a", "reason": said.strip()})
    assert node_cause == Text("cause.space", {"where": "node/n1", "reason": "kubelet has disk pressure"})


def test_an_init_container_that_fails_is_a_cause_and_one_that_has_ended_well_is_none() -> None:
    item = waiting("a", "PodInitializing")
    done = {"name": "i", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}, "ready": True}
    item["status"]["initContainerStatuses"] = [done]
    assert diagnose({"pods": (item,)}) == ()
    item["status"]["initContainerStatuses"] = waiting("b", "ImagePullBackOff")["status"]["containerStatuses"]
    assert [text.key for text in diagnose({"pods": (item,)})] == ["cause.image"]


def test_of_our_own_services_one_that_selects_nothing_is_a_cause() -> None:
    ours, other = (
        service("web", {"app": "web", "tier": "front"}),
        service("other", {"app": "other", "tier": "x"}),
    )
    ours["metadata"]["labels"] = OURS
    assert diagnose({"services": (ours, other), "pods": (pod("a", {"app": "shop"}),)}) == (
        Text("cause.no-endpoints", {"service": "web", "selector": "app=web,tier=front"}),
    )


def test_a_pod_on_its_way_out_is_no_cause() -> None:
    assert diagnose({"pods": (pod("a", ready=False, terminating=True),)}) == ()


def test_fifty_pods_that_fail_alike_are_told_twice_and_counted() -> None:
    pods = tuple(waiting(f"web-{n}", "ImagePullBackOff") for n in range(50))
    found = diagnose({"pods": (*pods, unscheduled("x"))})
    assert [text.key for text in found] == ["cause.image"] * 2 + ["cause.unscheduled", "diagnosis.more"]
    assert found[-1].values == {"count": 48}


def test_what_a_cause_quotes_is_one_line_and_not_endless() -> None:
    item = unscheduled("a")
    item["status"]["conditions"][0]["message"] = "0/3 nodes\n" * 1000
    (found,) = diagnose({"pods": (item,)})
    assert found.values["reason"].startswith("0/3 nodes 0/3 nodes")
    assert len(found.values["reason"]) == 300


def test_every_known_cause_has_a_rank_and_a_code_and_the_other_way_round() -> None:
    coded = [code.key for code in TABLE if code.key.startswith("cause.")]
    assert sorted(RANK) == sorted(coded)


def test_objects_that_have_no_status_yet_are_passed_over() -> None:
    assert (
        diagnose(
            {"pods": ({"metadata": {"name": "a"}},), "nodes": ({"metadata": {"name": "n"}, "status": {}},)}
        )
        == ()
    )
    assert diagnose({}) == ()
