"""Deployments from creation to their end, by all the controllers together over the real registry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubetour.embedded.api import Object
from kubetour.embedded.deployment import DeploymentController
from kubetour.embedded.deployment_revision import build_new
from kubetour.embedded.endpoints import EndpointsController
from kubetour.embedded.endpointslice import EndpointSliceController
from kubetour.embedded.garbagecollector import GarbageCollector
from kubetour.embedded.replicaset import ReplicaSetController
from kubetour.embedded.scheduler import Scheduler
from tests.embedded.controlplane import ControlPlane, deployment, node, scenario, service

ALL = (
    DeploymentController,
    ReplicaSetController,
    Scheduler,
    EndpointSliceController,
    EndpointsController,
    GarbageCollector,
)


async def start(plane: ControlPlane, wanted: Object) -> None:
    plane.add_kubelet()
    plane.registry.create("nodes", node())
    plane.registry.create("services", service())
    plane.registry.create("deployments", wanted)
    await plane.settle()


def patch(plane: ControlPlane, spec: Object) -> None:
    plane.registry.patch("deployments", "web", {"spec": spec}, "default")


def image(name: str) -> Object:
    container = {"name": "web", "image": name, "ports": [{"containerPort": 8080}]}
    return {"template": {"spec": {"containers": [container]}}}


def images(plane: ControlPlane) -> list[str]:
    return sorted(pod["spec"]["containers"][0]["image"] for pod in plane.items("pods"))


def conditions(status: Object) -> dict[str, tuple[str, str]]:
    return {item["type"]: (item["status"], item["reason"]) for item in status["conditions"]}


def ready_addresses(plane: ControlPlane) -> list[str]:
    return [
        endpoint["addresses"][0]
        for found in plane.items("endpointslices")
        for endpoint in found.get("endpoints") or ()
        if endpoint["conditions"]["ready"]
    ]


@scenario(*ALL)
async def test_a_deployment_becomes_available_and_reachable(plane: ControlPlane) -> None:
    await start(plane, deployment(replicas=2))
    status = plane.get("deployments", "web")["status"]
    assert {**status, "conditions": None} == {
        "observedGeneration": 1,
        "replicas": 2,
        "updatedReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "terminatingReplicas": 0,
        "conditions": None,
    }
    assert conditions(status) == {
        "Available": ("True", "MinimumReplicasAvailable"),
        "Progressing": ("True", "NewReplicaSetAvailable"),
    }
    assert len(ready_addresses(plane)) == 2
    (endpoints,) = plane.items("endpoints")
    assert sorted(item["ip"] for item in endpoints["subsets"][0]["addresses"]) == sorted(
        ready_addresses(plane)
    )


@scenario(*ALL)
async def test_scaling_up_and_down_keeps_the_oldest_pod_and_tells_it(plane: ControlPlane) -> None:
    await start(plane, deployment(replicas=1))
    (first,) = plane.items("pods")
    await plane.settle(60)
    patch(plane, {"replicas": 3})
    await plane.settle(1)
    assert len(plane.items("pods")) == 3
    patch(plane, {"replicas": 1})
    await plane.settle(1)
    assert [pod["metadata"]["name"] for pod in plane.items("pods")] == [first["metadata"]["name"]]
    (rs,) = plane.items("replicasets")
    name = rs["metadata"]["name"]
    assert plane.events("ScalingReplicaSet") == [
        f"Scaled up replica set {name} from 0 to 1",
        f"Scaled up replica set {name} from 1 to 3",
        f"Scaled down replica set {name} from 3 to 1",
    ]
    assert len(plane.events("SuccessfulCreate")) == 3
    assert len(plane.events("SuccessfulDelete")) == 2
    assert rs["metadata"]["annotations"]["deployment.kubernetes.io/desired-replicas"] == "1"


@scenario(*ALL)
async def test_a_rolling_update_never_lacks_nor_exceeds_pods(plane: ControlPlane) -> None:
    await start(plane, deployment(replicas=4))
    seen: list[tuple[int, int]] = []

    def observe(*_: Any) -> None:
        pods = [pod for pod in plane.api.of("pods").all() if "deletionTimestamp" not in pod["metadata"]]
        ready = [
            pod
            for pod in pods
            if any(
                c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions") or ()
            )
        ]
        seen.append((len(pods), len(ready)))

    plane.api.of("pods").add_handler(observe)
    seen.clear()
    patch(plane, image("web:2"))
    await plane.settle(1)
    assert images(plane) == ["web:2"] * 4
    assert max(total for total, _ in seen) == 5
    assert min(ready for _, ready in seen) >= 3
    old, new = sorted(plane.items("replicasets"), key=lambda rs: rs["spec"]["replicas"])
    assert old["spec"]["replicas"] == 0
    assert new["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    assert (
        plane.get("deployments", "web")["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    )


@scenario(*ALL)
async def test_going_back_to_an_earlier_template_reuses_its_replica_set(plane: ControlPlane) -> None:
    await start(plane, deployment(replicas=2))
    (first,) = plane.items("replicasets")
    patch(plane, image("web:2"))
    await plane.settle(1)
    patch(plane, image("web:1"))
    await plane.settle(1)
    assert images(plane) == ["web:1"] * 2
    assert len(plane.items("replicasets")) == 2
    again = plane.get("replicasets", first["metadata"]["name"])
    annotations = again["metadata"]["annotations"]
    assert annotations["deployment.kubernetes.io/revision"] == "3"
    assert annotations["deployment.kubernetes.io/revision-history"] == "1"


@scenario(*ALL)
async def test_recreate_starts_the_new_pods_after_the_last_old_one_is_gone(plane: ControlPlane) -> None:
    await start(plane, deployment(replicas=2, strategy={"type": "Recreate"}))
    kubelet = plane.components[-1]
    kubelet.stops = lambda pod: False
    patch(plane, image("web:2"))
    await plane.settle(1)
    assert images(plane) == ["web:1"] * 2
    kubelet.stops = lambda pod: True
    kubelet.poke()
    await plane.settle()
    assert images(plane) == ["web:2"] * 2


@scenario(*ALL)
async def test_a_paused_deployment_scales_but_does_not_roll_out(plane: ControlPlane) -> None:
    await start(plane, deployment(replicas=1))
    patch(plane, {"paused": True, **image("web:2")})
    await plane.settle(1)
    patch(plane, {"replicas": 2})
    await plane.settle(1)
    assert images(plane) == ["web:1"] * 2
    status = plane.get("deployments", "web")["status"]
    assert conditions(status)["Progressing"] == ("Unknown", "DeploymentPaused")
    patch(plane, {"paused": None})
    await plane.settle(1)
    assert images(plane) == ["web:2"] * 2


@scenario(*ALL)
async def test_a_rollout_that_stands_still_misses_its_deadline_and_can_recover(plane: ControlPlane) -> None:
    await start(plane, deployment(replicas=1, progressDeadlineSeconds=60))
    kubelet = plane.components[-1]
    kubelet.ready = lambda pod: pod["spec"]["containers"][0]["image"] == "web:1"
    patch(plane, image("web:2"))
    await plane.settle(1)
    await plane.settle(58)
    status = plane.get("deployments", "web")["status"]
    assert conditions(status)["Progressing"] == ("True", "ReplicaSetUpdated")
    await plane.settle(5)
    status = plane.get("deployments", "web")["status"]
    assert conditions(status)["Progressing"] == ("False", "ProgressDeadlineExceeded")
    assert conditions(status)["Available"] == ("True", "MinimumReplicasAvailable")
    kubelet.ready = lambda pod: True
    kubelet.poke()
    await plane.settle(1)
    status = plane.get("deployments", "web")["status"]
    assert conditions(status)["Progressing"] == ("True", "NewReplicaSetAvailable")


@scenario(*ALL)
async def test_pods_count_as_available_only_after_min_ready_seconds(plane: ControlPlane) -> None:
    await start(plane, deployment(replicas=1, minReadySeconds=10))
    assert plane.get("deployments", "web")["status"].get("availableReplicas", 0) == 0
    await plane.settle(10)
    assert plane.get("deployments", "web")["status"]["availableReplicas"] == 1


@scenario(*ALL)
async def test_only_so_many_old_replica_sets_are_kept(plane: ControlPlane) -> None:
    await start(plane, deployment(replicas=1, revisionHistoryLimit=2))
    for number in range(2, 7):
        patch(plane, image(f"web:{number}"))
        await plane.settle(1)
    revisions = sorted(
        rs["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
        for rs in plane.items("replicasets")
    )
    assert revisions == ["4", "5", "6"]


@pytest.mark.parametrize("adopted", [False, True], ids=["somebody else's", "one's own"])
@scenario(*ALL)
async def test_a_taken_name_counts_as_a_collision_and_gives_another_hash(
    plane: ControlPlane, adopted: bool
) -> None:
    wanted = plane.registry.create("deployments", deployment(replicas=0))
    plane.registry.delete("deployments", "web", "default")
    taken = build_new(wanted, 1)
    name, selector = taken["metadata"]["name"], {"app": "something-else"}
    taken["metadata"] |= {"ownerReferences": [], "labels": {"app": "web"} if adopted else selector}
    taken["spec"]["selector"] = {"matchLabels": selector}
    taken["spec"]["template"]["metadata"]["labels"] = selector
    plane.registry.create("replicasets", taken)
    await start(plane, deployment(replicas=1))
    await plane.settle(1)
    assert plane.get("deployments", "web")["status"]["collisionCount"] == 1
    assert plane.get("replicasets", name)["spec"]["replicas"] == 0
    assert images(plane) == ["web:1"]


@pytest.mark.parametrize("policy", ["Background", "Foreground"])
@scenario(*ALL)
async def test_deleting_a_deployment_takes_everything_with_it(plane: ControlPlane, policy: str) -> None:
    await start(plane, deployment(replicas=3))
    plane.registry.delete("deployments", "web", "default", propagation_policy=policy)
    await plane.settle(1)
    for resource in ("deployments", "replicasets", "pods"):
        assert plane.items(resource) == []
    assert ready_addresses(plane) == []


@scenario(*ALL)
async def test_foreground_deletion_removes_owners_after_what_they_own(plane: ControlPlane) -> None:
    await start(plane, deployment(replicas=2))
    plane.registry.delete("deployments", "web", "default", propagation_policy="Foreground")
    await plane.settle(1)
    gone = [
        resource
        for _, resource in sorted(
            (int(obj["metadata"]["resourceVersion"]), resource)
            for resource in ("deployments", "replicasets", "pods")
            for kind, obj in plane.history(resource)
            if kind == "DELETED"
        )
    ]
    assert gone == ["pods", "pods", "replicasets", "deployments"]


@scenario(*ALL)
async def test_orphaned_pods_stay_and_are_adopted_again(plane: ControlPlane) -> None:
    await start(plane, deployment(replicas=2))
    before = {pod["metadata"]["uid"] for pod in plane.items("pods")}
    plane.registry.delete("deployments", "web", "default", propagation_policy="Orphan")
    await plane.settle(1)
    (rs,) = plane.items("replicasets")
    assert not rs["metadata"].get("ownerReferences")
    plane.registry.create("deployments", deployment(replicas=2))
    await plane.settle(1)
    assert {pod["metadata"]["uid"] for pod in plane.items("pods")} == before
    (rs,) = plane.items("replicasets")
    assert rs["metadata"]["ownerReferences"][0]["kind"] == "Deployment"


@scenario(*ALL)
async def test_a_pod_whose_label_is_taken_off_is_released_and_replaced(plane: ControlPlane) -> None:
    await start(plane, deployment(replicas=1))
    (before,) = plane.items("pods")
    name = before["metadata"]["name"]
    plane.registry.patch("pods", name, {"metadata": {"labels": {"app": "debug"}}}, "default")
    await plane.settle(1)
    released = plane.get("pods", name)
    assert not released["metadata"].get("ownerReferences")
    assert len(plane.items("pods")) == 2


GOLDEN = Path(__file__).parent / "rollout_golden.json"


@scenario(*ALL)
async def test_statuses_speak_as_recorded_on_a_real_cluster(plane: ControlPlane) -> None:
    """Every field, condition and message of a status is one that the recording has too."""
    await start(plane, deployment(replicas=1))
    patch(plane, {"replicas": 3})
    await plane.settle(1)
    recorded = json.loads(GOLDEN.read_text(encoding="utf-8"))
    keys = recorded["statusFields"]
    ours = [obj.get("status") or {} for _, obj in plane.history("deployments")]
    assert set().union(*(set(status) for status in ours)) <= set(keys)
    seen = [
        {item["type"]: (item["status"], item["reason"], item["message"]) for item in status["conditions"]}
        for status in ours
        if status.get("conditions")
    ]
    (rs,) = plane.items("replicasets")
    texts = {text.replace(rs["metadata"]["name"], "RS") for one in seen for _, _, text in one.values()}
    assert texts <= set(recorded["conditionMessages"])
    assert conditions(ours[-1]) == {kind: tuple(value) for kind, value in recorded["finalConditions"].items()}
