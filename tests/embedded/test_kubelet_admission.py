"""Which Pods a node refuses, in kubelet's words."""

from __future__ import annotations

from typing import Any

import pytest

from kubetour.embedded.api import Object
from kubetour.embedded.kubelet_admission import is_known, refusal
from tests.embedded.node import FastClock, Node, on_a_node

NODE: Object = {
    "metadata": {"name": "n", "labels": {"disk": "ssd"}},
    "spec": {
        "taints": [{"key": "drained", "effect": "NoExecute"}, {"key": "cordoned", "effect": "NoSchedule"}]
    },
    "status": {
        "allocatable": {"cpu": "2", "memory": "1024k", "pods": "2"},
        "conditions": [{"type": "Ready", "status": "True"}],
    },
}
RUNS = {"phase": "Running", "startTime": "2026-01-02T03:04:05Z"}
TOLERATES = [{"key": "drained", "operator": "Exists"}]


def pod(name: str = "p", requests: Object | None = None, status: Object | None = None, **spec: Any) -> Object:
    container = {"name": "c", "resources": {"requests": requests or {}}}
    return {
        "metadata": {"name": name, "uid": name},
        "spec": {"containers": [container], "tolerations": TOLERATES, **spec},
        "status": status or {"phase": "Pending"},
    }


@pytest.mark.parametrize(
    ("wanted", "others", "expected"),
    [
        pytest.param(pod(), [], None, id="one that asks for nothing"),
        pytest.param(
            pod(requests={"cpu": "2"}), [pod("a", {"cpu": "2"})], None, id="one beside that waits, too"
        ),
        pytest.param(
            pod(requests={"cpu": "1500m"}),
            [pod("a", {"cpu": "1"}, RUNS)],
            (
                "OutOfcpu",
                "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000",
            ),
            id="too little CPU",
        ),
        pytest.param(
            pod(requests={"cpu": "1500m"}),
            [pod("a", {"cpu": "1"}, {**RUNS, "phase": "Failed"})],
            None,
            id="ended",
        ),
        pytest.param(
            pod(requests={"memory": "2048k"}),
            [],
            (
                "OutOfmemory",
                "Node didn't have enough resource: memory, requested: 2048000, used: 0, capacity: 1024000",
            ),
            id="too little memory",
        ),
        pytest.param(pod(requests={"example.com/gpu": "1"}), [], None, id="what the node knows nothing of"),
        pytest.param(
            pod(),
            [pod("a", status=RUNS), pod("b", status=RUNS)],
            ("OutOfpods", "Node didn't have enough resource: pods, requested: 1, used: 2, capacity: 2"),
            id="too many Pods",
        ),
        pytest.param(
            pod(nodeSelector={"disk": "hdd"}),
            [],
            (
                "NodeAffinity",
                "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
            ),
            id="another node wanted",
        ),
        pytest.param(
            pod(tolerations=[]),
            [],
            ("TaintToleration", "Predicate TaintToleration failed: node(s) had untolerated taint(s)"),
            id="tainted",
        ),
    ],
)
def test_a_node_refuses_what_does_not_fit(
    wanted: Object, others: list[Object], expected: tuple[str, str] | None
) -> None:
    assert refusal(wanted, NODE, [wanted, *others]) == expected


@pytest.mark.parametrize(
    ("status", "known"),
    [
        pytest.param({"phase": "Pending"}, False, id="new"),
        pytest.param(RUNS, True, id="taken by a kubelet"),
        pytest.param({"conditions": [{"type": "PodScheduled", "status": "True"}]}, True, id="scheduled"),
    ],
)
def test_only_a_new_pod_that_nobody_has_scheduled_is_asked(status: Object, known: bool) -> None:
    assert is_known(pod(status=status)) is known


@on_a_node(FastClock)
async def test_a_refused_pod_has_failed_and_can_be_deleted(node: Node) -> None:
    node.load("exit 0")
    node.create({"resources": {"requests": {"cpu": "1000"}}})
    status = (await node.phase("Failed"))["status"]
    assert status["reason"] == "OutOfcpu"
    why = status["message"].removeprefix("Pod was rejected: ")
    assert why.startswith("Node didn't have enough resource: cpu, requested: 1000000, used: 0, capacity: ")
    assert node.events() == [("OutOfcpu", why)]
    node.registry.delete("pods", "p", "default")
    await node.until(node.gone)


@on_a_node(FastClock)
async def test_a_pod_deleted_just_before_it_is_refused_is_gone(node: Node) -> None:
    write = node.registry.patch

    def patch(
        resource: str, name: str, patch: Object, namespace: str = "", *, subresource: str = ""
    ) -> Object:
        if patch.get("status", {}).get("reason") == "OutOfcpu":
            node.registry.patch = write  # type: ignore[method-assign]
            node.registry.delete("pods", name, namespace)
        return write(resource, name, patch, namespace, subresource=subresource)

    node.registry.patch = patch  # type: ignore[method-assign]
    node.create({"resources": {"requests": {"cpu": "1000"}}})
    await node.until(node.gone)
