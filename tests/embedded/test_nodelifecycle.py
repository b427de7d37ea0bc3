from __future__ import annotations

from datetime import timedelta

import pytest

from kubetour.embedded.api import Object
from kubetour.embedded.clock import rfc3339_micro
from kubetour.embedded.nodelifecycle import NodeLifecycleController
from kubetour.embedded.nodelifecycle_taints import seconds_until_eviction, wanted_taints
from tests.embedded.controlplane import START, ControlPlane, node, pod, scenario

NOW = "2026-01-02T03:04:05Z"


def keys(taints: list[Object]) -> list[str]:
    return [f"{taint['key'].rpartition('/')[2]}:{taint['effect']}" for taint in taints]


def beat(plane: ControlPlane) -> None:
    renewed = rfc3339_micro(plane.clock.now())
    plane.registry.patch("leases", "node-1", {"spec": {"renewTime": renewed}}, "kube-node-lease")


async def start(plane: ControlPlane) -> None:
    plane.add_kubelet()
    plane.registry.create("namespaces", {"metadata": {"name": "kube-node-lease"}})
    plane.registry.create("leases", {"metadata": {"name": "node-1", "namespace": "kube-node-lease"}})
    plane.registry.create("nodes", node())
    plane.registry.create("pods", pod("p", nodeName="node-1"))
    await plane.settle()


@scenario(NodeLifecycleController)
async def test_a_node_that_renews_its_lease_stays_ready(plane: ControlPlane) -> None:
    await start(plane)
    for _ in range(12):
        beat(plane)
        await plane.settle(10)
    found = plane.get("nodes", "node-1", "")
    assert found["spec"].get("taints", []) == []
    assert found["status"]["conditions"][0]["status"] == "True"
    assert plane.events("RegisteredNode") == ["Node node-1 event: Registered Node node-1 in Controller"]


@scenario(NodeLifecycleController)
async def test_a_silent_node_is_unknown_and_its_pods_leave_when_their_time_is_up(plane: ControlPlane) -> None:
    await start(plane)
    plane.components[-1].silent = True
    await plane.settle(49)
    assert plane.get("nodes", "node-1", "")["status"]["conditions"][0]["status"] == "True"
    await plane.settle(2)
    found = plane.get("nodes", "node-1", "")
    ready = found["status"]["conditions"][0]
    assert (ready["status"], ready["reason"]) == ("Unknown", "NodeStatusUnknown")
    assert ready["message"] == "Kubelet stopped posting node status."
    assert keys(found["spec"]["taints"]) == ["unreachable:NoSchedule", "unreachable:NoExecute"]
    conditions = plane.get("pods", "p")["status"]["conditions"]
    assert [item["status"] for item in conditions if item["type"] == "Ready"] == ["False"]
    await plane.settle(298)
    assert "deletionTimestamp" not in plane.get("pods", "p")["metadata"]
    await plane.settle(3)
    assert "deletionTimestamp" in plane.get("pods", "p")["metadata"]
    assert plane.events("TaintManagerEviction") == ["Marking for deletion Pod default/p"]


@scenario(NodeLifecycleController)
async def test_a_node_that_speaks_again_is_taken_back(plane: ControlPlane) -> None:
    await start(plane)
    await plane.settle(51)
    beat(plane)
    found = plane.get("nodes", "node-1", "")
    found["status"]["conditions"][0] |= {"status": "True", "reason": "KubeletReady"}
    plane.registry.update("nodes", found, subresource="status")
    await plane.settle(1)
    assert plane.get("nodes", "node-1", "")["spec"].get("taints", []) == []
    assert plane.exists("pods", "p")


@scenario(NodeLifecycleController)
async def test_pods_of_a_removed_node_are_collected_after_a_while(plane: ControlPlane) -> None:
    await start(plane)
    plane.components[-1].silent = True
    plane.registry.delete("nodes", "node-1")
    await plane.settle()
    await plane.settle(39)
    assert plane.exists("pods", "p")
    await plane.settle(2)
    assert not plane.exists("pods", "p")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (node(), []),
        (node(ready="False"), ["not-ready:NoSchedule", "not-ready:NoExecute"]),
        (node(ready="Unknown"), ["unreachable:NoSchedule", "unreachable:NoExecute"]),
        (node(spec={"unschedulable": True}), ["unschedulable:NoSchedule"]),
        (
            node(spec={"taints": [{"key": "mine", "effect": "NoSchedule"}]}, ready="False"),
            ["mine:NoSchedule", "not-ready:NoSchedule", "not-ready:NoExecute"],
        ),
        (node(spec={"taints": [{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}]}), []),
    ],
    ids=["ready", "not ready", "unknown", "cordoned", "another's taint", "ready again"],
)
def test_taints_follow_conditions_and_cordon(given: Object, expected: list[str]) -> None:
    assert keys(wanted_taints(given, NOW)) == expected


def test_a_taint_that_is_there_keeps_its_time() -> None:
    before = wanted_taints(node(ready="False"), NOW)
    again = wanted_taints(node(ready="False", spec={"taints": before}), "2027-01-01T00:00:00Z")
    assert again == before


@pytest.mark.parametrize(
    ("tolerations", "after", "wait"),
    [
        ([], 0, 0.0),
        ([{"operator": "Exists"}], 0, None),
        ([{"key": "k", "operator": "Exists", "tolerationSeconds": 300}], 100, 200.0),
        ([{"key": "k", "operator": "Exists", "tolerationSeconds": 300}], 301, 0.0),
        (
            [
                {"key": "k", "operator": "Exists", "tolerationSeconds": 300},
                {"operator": "Exists", "tolerationSeconds": 20},
            ],
            5,
            15.0,
        ),
    ],
    ids=["none", "for ever", "for a time", "time is up", "the shortest counts"],
)
def test_eviction_follows_tolerations(tolerations: list[Object], after: int, wait: float | None) -> None:
    tainted = node(spec={"taints": [{"key": "k", "effect": "NoExecute", "timeAdded": NOW}]})
    found = seconds_until_eviction(pod(tolerations=tolerations), tainted, START + timedelta(seconds=after))
    assert found == wait
