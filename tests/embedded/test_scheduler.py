from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from kubetour.embedded.api import Object
from kubetour.embedded.scheduler import Scheduler
from kubetour.embedded.scheduler_filters import Rejection, failure_message, matches_affinity, reject
from kubetour.embedded.scheduler_resources import NodeInfo, requests
from kubetour.embedded.taints import tolerates
from tests.embedded.controlplane import ControlPlane, node, pod, scenario

CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}


def asking(**quantities: str) -> list[Object]:
    return [{"name": "c", "image": "i:1", "resources": {"requests": quantities}}]


def assigned(plane: ControlPlane, name: str = "p") -> str:
    return str(plane.get("pods", name)["spec"].get("nodeName", ""))


@scenario(Scheduler)
async def test_a_pod_gets_a_node_a_condition_and_an_event(plane: ControlPlane) -> None:
    plane.registry.create("nodes", node())
    plane.registry.create("pods", pod("p"))
    await plane.settle()
    bound = plane.get("pods", "p")
    assert bound["spec"]["nodeName"] == "node-1"
    assert [(item["type"], item["status"]) for item in bound["status"]["conditions"]] == [
        ("PodScheduled", "True")
    ]
    (event,) = plane.items("events")
    assert event["message"] == "Successfully assigned default/p to node-1"
    assert (event["reason"], event["action"]) == ("Scheduled", "Binding")
    assert event["reportingComponent"] == "default-scheduler"


@pytest.mark.parametrize(
    ("nodes", "wanted", "reasons", "preemption"),
    [
        (
            [node(spec={"taints": [CONTROL_PLANE]})],
            pod(),
            "1 node(s) had untolerated taint(s)",
            "1 Preemption is not helpful for scheduling",
        ),
        (
            [node(ready="False")],
            pod(),
            "1 node(s) had untolerated taint(s)",
            "1 Preemption is not helpful for scheduling",
        ),
        (
            [node("a", spec={"unschedulable": True}), node("b", spec={"unschedulable": True})],
            pod(),
            "2 node(s) were unschedulable",
            "2 Preemption is not helpful for scheduling",
        ),
        (
            [node()],
            pod(nodeSelector={"disk": "ssd"}),
            "1 node(s) didn't match Pod's node affinity/selector",
            "1 Preemption is not helpful for scheduling",
        ),
        (
            [node("a"), node("b", spec={"taints": [CONTROL_PLANE]})],
            pod(containers=asking(cpu="1000", memory="1Ti")),
            "1 Insufficient cpu, 1 Insufficient memory, 1 node(s) had untolerated taint(s)",
            "2 Preemption is not helpful for scheduling",
        ),
        (
            [node(allocatable={"pods": "0"})],
            pod(),
            "1 Too many pods",
            "1 No preemption victims found for incoming pod",
        ),
    ],
    ids=["taint", "not ready", "cordoned", "selector", "too big", "full"],
)
@scenario(Scheduler)
async def test_a_pod_that_fits_nowhere_is_told_why(
    plane: ControlPlane, nodes: list[Object], wanted: Object, reasons: str, preemption: str
) -> None:
    for one in nodes:
        plane.registry.create("nodes", one)
    plane.registry.create("pods", wanted)
    await plane.settle()
    count = len(nodes)
    expected = (
        f"0/{count} nodes are available: {reasons}. no new claims to deallocate, "
        f"preemption: 0/{count} nodes are available: {preemption}."
    )
    (event,) = plane.items("events")
    assert (event["reason"], event["type"], event["message"]) == ("FailedScheduling", "Warning", expected)
    (condition,) = plane.get("pods", "p")["status"]["conditions"]
    assert (condition["status"], condition["reason"]) == ("False", "Unschedulable")
    assert condition["message"] == expected


@scenario(Scheduler)
async def test_without_nodes_it_says_so_and_schedules_when_one_comes(plane: ControlPlane) -> None:
    plane.registry.create("pods", pod("p"))
    await plane.settle()
    assert plane.events("FailedScheduling") == ["no nodes available to schedule pods"]
    plane.registry.create("nodes", node())
    await plane.settle()
    assert assigned(plane) == "node-1"


def uncordon(plane: ControlPlane) -> None:
    plane.registry.patch("nodes", "node-1", {"spec": {"unschedulable": None}})


def label(plane: ControlPlane) -> None:
    plane.registry.patch("nodes", "node-1", {"metadata": {"labels": {"disk": "ssd"}}})


def make_room(plane: ControlPlane) -> None:
    plane.registry.delete("pods", "big", "default", grace_period_seconds=0)


@pytest.mark.parametrize(
    ("spec", "wanted", "change"),
    [
        ({"unschedulable": True}, pod("p"), uncordon),
        ({}, pod("p", nodeSelector={"disk": "ssd"}), label),
        ({}, pod("p", containers=asking(cpu="3")), make_room),
    ],
    ids=["uncordon", "label", "another Pod's end"],
)
@scenario(Scheduler)
async def test_a_waiting_pod_is_tried_again_when_something_changes(
    plane: ControlPlane, spec: Object, wanted: Object, change: Any
) -> None:
    plane.registry.create("nodes", node(spec=spec))
    plane.registry.create("pods", pod("big", nodeName="node-1", containers=asking(cpu="2")))
    plane.registry.create("pods", wanted)
    await plane.settle()
    assert not assigned(plane)
    change(plane)
    await plane.settle()
    assert assigned(plane) == "node-1"


@scenario(Scheduler)
async def test_heartbeats_of_a_node_do_not_wake_waiting_pods(plane: ControlPlane) -> None:
    stored = plane.registry.create("nodes", node(spec={"unschedulable": True}))
    plane.registry.create("pods", pod("p"))
    await plane.settle()
    stored["status"]["conditions"][0]["lastHeartbeatTime"] = "2026-01-02T04:00:00Z"
    plane.registry.update("nodes", stored, subresource="status")
    await plane.settle()
    (event,) = plane.items("events")
    assert "series" not in event


@scenario(Scheduler)
async def test_pods_of_one_owner_spread_over_the_nodes(plane: ControlPlane) -> None:
    for name in ("a", "b", "c"):
        plane.registry.create("nodes", node(name))
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": "u-1", "controller": True}
    for number in range(6):
        plane.registry.create("pods", pod(f"p{number}", ownerReferences=[owner]))
        await plane.settle()
    assert Counter(one["spec"]["nodeName"] for one in plane.items("pods")) == {"a": 2, "b": 2, "c": 2}


@scenario(Scheduler)
async def test_a_node_is_filled_to_the_last_place_and_no_further(plane: ControlPlane) -> None:
    plane.registry.create("nodes", node(allocatable={"pods": "3", "cpu": "1"}))
    for number in range(4):
        plane.registry.create("pods", pod(f"p{number}", containers=asking(cpu="250m")))
    await plane.settle()
    assert sorted(bool(one["spec"].get("nodeName")) for one in plane.items("pods")) == [
        False,
        True,
        True,
        True,
    ]


@pytest.mark.parametrize(
    "spec",
    [
        {"schedulerName": "another"},
        {"schedulingGates": [{"name": "wait"}]},
    ],
    ids=["another scheduler's", "gated"],
)
@scenario(Scheduler)
async def test_pods_that_are_not_its_own_are_left_alone(plane: ControlPlane, spec: Object) -> None:
    plane.registry.create("nodes", node())
    plane.registry.create("pods", pod("p", **spec))
    await plane.settle()
    assert not assigned(plane)
    assert plane.items("events") == []


def affinity(*terms: Object) -> Object:
    required = {"nodeSelectorTerms": list(terms)}
    return pod(affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}})


def expression(key: str, operator: str, *values: str) -> Object:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        (pod(), True),
        (affinity(expression("zone", "In", "a", "b")), True),
        (affinity(expression("zone", "NotIn", "a")), False),
        (affinity(expression("zone", "NotIn", "a"), expression("cores", "Gt", "4")), True),
        (affinity(expression("cores", "Lt", "8")), False),
        (affinity(expression("gpu", "Exists")), False),
        (affinity(expression("gpu", "DoesNotExist")), True),
        (affinity({}), False),
        (affinity({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}]}), True),
    ],
)
def test_node_affinity(wanted: Object, matches: bool) -> None:
    assert matches_affinity(wanted, node(labels={"zone": "a", "cores": "8"})) is matches


@pytest.mark.parametrize(
    ("toleration", "covered"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "k", "operator": "Exists"}, True),
        ({"key": "k", "value": "v"}, True),
        ({"key": "k", "operator": "Equal", "value": "w"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"key": "k", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "k", "operator": "Exists", "effect": "NoSchedule"}, True),
        ({}, False),
    ],
)
def test_tolerations(toleration: Object, covered: bool) -> None:
    assert tolerates(toleration, {"key": "k", "value": "v", "effect": "NoSchedule"}) is covered


def test_requests_count_init_containers_and_sidecars_as_they_run() -> None:
    wanted = pod(
        containers=[*asking(cpu="1"), *asking(cpu="500m", memory="1Gi")],
        initContainers=[
            {**asking(cpu="100m")[0], "restartPolicy": "Always"},
            asking(cpu="3")[0],
        ],
        overhead={"cpu": "10m"},
    )
    assert requests(wanted) == {"cpu": 3110, "memory": 2**30 * 1000}


def test_a_request_no_empty_node_could_meet_is_not_helped_by_preemption() -> None:
    info = NodeInfo()
    info.set_node(node())
    info.count(pod(containers=asking(cpu="3")), 1)
    assert reject(pod(), {"cpu": 2000}, info) == Rejection(("Insufficient cpu",), resolvable=True)
    assert reject(pod(), {"cpu": 5000}, info) == Rejection(("Insufficient cpu",), resolvable=False)


def test_the_message_counts_nodes_per_reason() -> None:
    rejections = [
        Rejection(("Insufficient cpu",), resolvable=True),
        Rejection(("Insufficient cpu", "Insufficient memory"), resolvable=True),
        Rejection(("node(s) had untolerated taint(s)",)),
    ]
    assert failure_message(rejections) == (
        "0/3 nodes are available: 1 Insufficient memory, 1 node(s) had untolerated taint(s), "
        "2 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available: "
        "1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod."
    )


@scenario(Scheduler)
async def test_the_search_goes_round_so_that_all_of_many_nodes_get_pods(plane: ControlPlane) -> None:
    for number in range(150):
        plane.registry.create("nodes", node(f"n{number}", allocatable={"pods": "1"}))
    for number in range(151):
        plane.registry.create("pods", pod(f"p{number}"))
    await plane.settle()
    taken = [one["spec"].get("nodeName", "") for one in plane.items("pods")]
    assert len(set(taken)) == 151
    assert taken.count("") == 1


@scenario()
async def test_preferences_come_before_spreading(plane: ControlPlane) -> None:
    plane.add(Scheduler(plane.api, plane.clock))
    plane.registry.create("nodes", node("a", labels={"disk": "ssd"}))
    plane.registry.create("nodes", node("b"))
    plane.registry.create(
        "nodes",
        node("c", spec={"taints": [{"key": "x", "effect": "PreferNoSchedule"}]}, labels={"disk": "ssd"}),
    )
    preference = {"weight": 1, "preference": expression("disk", "In", "ssd")}
    preferred = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [preference]}}
    for number in range(3):
        plane.registry.create("pods", pod(f"p{number}", affinity=preferred))
    await plane.settle()
    assert {one["spec"]["nodeName"] for one in plane.items("pods")} == {"a"}
