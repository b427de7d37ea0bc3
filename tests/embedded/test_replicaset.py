from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.clock import rfc3339
from kubetour.embedded.replicaset import ReplicaSetController
from kubetour.embedded.replicaset_ranking import first_to_go
from kubetour.embedded.replicaset_status import calculate, is_available
from tests.embedded.controlplane import START, ControlPlane, node, pod, scenario


def replica_set(replicas: int = 2, **spec: Any) -> Object:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": pod()["spec"]}
    return {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec},
    }


def running(name: str, **changes: Any) -> Object:
    ready = changes.pop("ready", 100)
    status: Object = {"phase": changes.pop("phase", "Running"), "conditions": []}
    if ready is not None:
        since = rfc3339(START - timedelta(seconds=ready))
        status["conditions"] = [{"type": "Ready", "status": "True", "lastTransitionTime": since}]
    status["containerStatuses"] = [{"restartCount": changes.pop("restarts", 0)}]
    created = rfc3339(START - timedelta(seconds=changes.pop("age", 100)))
    cost = changes.pop("cost", None)
    annotations = {"controller.kubernetes.io/pod-deletion-cost": cost} if cost is not None else {}
    metadata = {"name": name, "uid": name, "creationTimestamp": created, "annotations": annotations}
    return {"metadata": metadata, "spec": {"nodeName": changes.pop("node", "n")}, "status": status}


@pytest.mark.parametrize(
    ("goes", "stays"),
    [
        ({"node": ""}, {"phase": "Pending", "ready": None}),
        ({"phase": "Pending", "ready": None}, {"phase": "Running", "ready": None}),
        ({"phase": "Unknown"}, {"ready": None}),
        ({"ready": None}, {"ready": 1}),
        ({"cost": "-5"}, {"cost": "0"}),
        ({"cost": "nonsense"}, {"cost": "1"}),
        ({"ready": 2}, {"ready": 5000}),
        ({"restarts": 3}, {"restarts": 0}),
        ({"age": 10}, {"age": 5000}),
    ],
    ids=[
        "unassigned",
        "pending",
        "unknown",
        "not ready",
        "cheap",
        "no number costs nothing",
        "ready for less",
        "restarted",
        "younger",
    ],
)
def test_which_pod_goes_first(goes: Object, stays: Object) -> None:
    pods = [running("stays", **stays), running("goes", **goes)]
    assert [one["metadata"]["name"] for one in first_to_go(pods, pods, START)] == ["goes", "stays"]


def test_a_pod_on_a_crowded_node_goes_first_counting_related_pods() -> None:
    pods = [running("alone", node="a", ready=2), running("crowded", node="b", ready=5000)]
    related = [*pods, running("other", node="b")]
    assert first_to_go(pods, related, START)[0]["metadata"]["name"] == "crowded"


def test_the_status_counts_what_it_names() -> None:
    rs = replica_set()
    rs["metadata"]["generation"] = 3
    labeled = running("a", ready=5)
    labeled["metadata"]["labels"] = {"app": "web", "more": "x"}
    status = calculate(rs, [labeled, running("b", ready=None)], [running("c")], START)
    assert status == {
        "replicas": 2,
        "fullyLabeledReplicas": 1,
        "readyReplicas": 1,
        "availableReplicas": 1,
        "terminatingReplicas": 1,
        "observedGeneration": 3,
    }


def test_available_is_ready_for_min_ready_seconds() -> None:
    assert is_available(running("a", ready=10), 10, START)
    assert not is_available(running("a", ready=9), 10, START)
    assert not is_available(running("a", ready=None), 0, START)


@scenario(ReplicaSetController)
async def test_a_pod_is_made_from_the_template_and_owned(plane: ControlPlane) -> None:
    stored = plane.registry.create("replicasets", replica_set(1))
    await plane.settle()
    (made,) = plane.items("pods")
    assert made["metadata"]["generateName"] == "web-"
    assert made["metadata"]["name"].startswith("web-")
    assert made["metadata"]["labels"] == {"app": "web"}
    assert made["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": "web",
            "uid": stored["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert plane.events("SuccessfulCreate") == [f"Created pod: {made['metadata']['name']}"]


@scenario(ReplicaSetController)
async def test_many_pods_are_made_none_twice(plane: ControlPlane) -> None:
    plane.registry.create("replicasets", replica_set(170))
    await plane.settle()
    assert len(plane.items("pods")) == 170
    assert plane.get("replicasets", "web")["status"]["replicas"] == 170
    plane.registry.patch("replicasets", "web", {"spec": {"replicas": 60}}, "default")
    await plane.settle()
    assert len(plane.items("pods")) == 60
    assert len([kind for kind, _ in plane.history("pods") if kind == "ADDED"]) == 170


@scenario(ReplicaSetController)
async def test_a_lost_or_finished_pod_is_replaced(plane: ControlPlane) -> None:
    plane.registry.create("nodes", node())
    plane.registry.create("replicasets", replica_set(2))
    await plane.settle()
    gone, failed = plane.items("pods")
    plane.registry.delete("pods", gone["metadata"]["name"], "default")
    failed["status"]["phase"] = "Failed"
    plane.registry.update("pods", failed, subresource="status")
    await plane.settle()
    phases = sorted(one["status"]["phase"] for one in plane.items("pods"))
    assert phases == ["Failed", "Pending", "Pending"]


@scenario(ReplicaSetController)
async def test_fitting_orphans_are_adopted_and_surplus_deleted(plane: ControlPlane) -> None:
    for name in ("a", "b", "c"):
        plane.registry.create("pods", pod(name, labels={"app": "web"}))
    plane.registry.create("pods", pod("other", labels={"app": "other"}))
    plane.registry.create("replicasets", replica_set(2))
    await plane.settle()
    left = {
        one["metadata"]["name"]: bool(one["metadata"].get("ownerReferences")) for one in plane.items("pods")
    }
    assert left.pop("other") is False
    assert len(left) == 2
    assert set(left) < {"a", "b", "c"}
    assert all(left.values())


@scenario(ReplicaSetController)
async def test_a_pod_that_cannot_be_made_is_told_and_tried_again(plane: ControlPlane) -> None:
    await plane.settle()
    real = plane.registry.create

    def refuse(resource: str, obj: Object, namespace: str = "", **more: Any) -> Object:
        if resource == "pods":
            raise StatusError(403, "Forbidden", 'pods "web-" is forbidden: exceeded quota')
        return real(resource, obj, namespace, **more)

    plane.registry.create = refuse  # type: ignore[method-assign]
    plane.registry.create("replicasets", replica_set(1))
    await plane.settle()
    (condition,) = plane.get("replicasets", "web")["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("ReplicaFailure", "True")
    assert (condition["reason"], condition["message"]) == (
        "FailedCreate",
        'pods "web-" is forbidden: exceeded quota',
    )
    assert plane.events("FailedCreate") == ['Error creating: pods "web-" is forbidden: exceeded quota']
    plane.registry.create = real  # type: ignore[method-assign]
    await plane.settle(30)
    assert len(plane.items("pods")) == 1
    assert "conditions" not in plane.get("replicasets", "web")["status"]
