"""Disruption budgets: what their status says, and which evictions it allows."""

from __future__ import annotations

from typing import Any

import pytest

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.deployment import DeploymentController
from kubetour.embedded.disruption import DisruptionController
from kubetour.embedded.disruption_status import desired_healthy, selects
from kubetour.embedded.eviction import check_budget
from kubetour.embedded.replicaset import ReplicaSetController
from kubetour.embedded.scheduler import Scheduler
from tests.embedded.controlplane import ControlPlane, deployment, node, pod, scenario

CONTROLLERS = (Scheduler, DeploymentController, ReplicaSetController, DisruptionController)


def budget(**spec: Any) -> Object:
    selector = {"matchLabels": {"app": "web"}}
    return {"metadata": {"name": "web", "namespace": "default"}, "spec": {"selector": selector, **spec}}


async def start(plane: ControlPlane, replicas: int, **spec: Any) -> None:
    plane.add_kubelet()
    plane.registry.create("nodes", node())
    plane.registry.create("deployments", deployment(replicas=replicas))
    plane.registry.create("poddisruptionbudgets", budget(**spec))
    await plane.settle()


def numbers(plane: ControlPlane) -> tuple[int, ...]:
    found = plane.get("poddisruptionbudgets", "web")["status"]
    fields = ("expectedPods", "desiredHealthy", "currentHealthy", "disruptionsAllowed")
    return tuple(found[field] for field in fields)


def evict(plane: ControlPlane) -> None:
    check_budget(plane.registry, plane.items("pods")[0])


@pytest.mark.parametrize(
    ("spec", "scale", "pods", "expected"),
    [
        ({"maxUnavailable": 1}, 3, 2, (3, 2)),
        ({"maxUnavailable": "30%"}, 7, 7, (7, 4)),
        ({"maxUnavailable": 5}, 3, 3, (3, 0)),
        ({"minAvailable": 2}, 3, 2, (2, 2)),
        ({"minAvailable": "50%"}, 7, 3, (7, 4)),
        ({}, 3, 3, (3, 0)),
    ],
    ids=[
        "a number may go",
        "a share may go",
        "all may go",
        "a number stays",
        "a share stays",
        "nothing said",
    ],
)
def test_how_many_pods_must_stay(spec: Object, scale: int, pods: int, expected: tuple[int, int]) -> None:
    assert desired_healthy(budget(**spec), scale, pods) == expected


@pytest.mark.parametrize(
    ("selector", "answer"),
    [
        ({}, True),
        (None, False),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"a": "b"}}, False),
    ],
    ids=["an empty selector means all", "no selector means none", "labels that match", "labels that do not"],
)
def test_which_pods_a_budget_is_about(selector: Object | None, answer: bool) -> None:
    found = budget()
    found["spec"]["selector"] = selector
    assert selects(found, pod(labels={"app": "web"})) is answer


@scenario(*CONTROLLERS)
async def test_the_status_follows_pods_and_scale(plane: ControlPlane) -> None:
    await start(plane, 3, maxUnavailable=1)
    assert numbers(plane) == (3, 2, 3, 1)
    plane.registry.patch("deployments", "web", {"spec": {"replicas": 5}}, "default")
    await plane.settle()
    assert numbers(plane) == (5, 4, 5, 1)
    found = plane.get("poddisruptionbudgets", "web")["status"]
    assert [(item["type"], item["reason"]) for item in found["conditions"]] == [
        ("DisruptionAllowed", "SufficientPods")
    ]


@scenario(*CONTROLLERS)
async def test_evictions_are_refused_once_the_budget_is_used_up_until_there_are_pods_again(
    plane: ControlPlane,
) -> None:
    await start(plane, 2, minAvailable=1)
    evict(plane)  # charged at once, before the controller has seen anything
    with pytest.raises(StatusError) as raised:
        evict(plane)
    assert (raised.value.code, raised.value.reason) == (429, "TooManyRequests")
    assert raised.value.message == "Cannot evict pod as it would violate the pod's disruption budget."
    assert raised.value.details == {
        "causes": [
            {
                "reason": "DisruptionBudget",
                "message": "The disruption budget web needs 1 healthy pods and has 2 currently",
            }
        ]
    }
    plane.registry.delete("pods", plane.items("pods")[0]["metadata"]["name"], "default")
    await plane.settle()
    assert numbers(plane) == (2, 1, 2, 1)
    evict(plane)


@scenario(*CONTROLLERS)
async def test_a_pod_that_was_to_be_evicted_and_is_still_there_counts_again_after_two_minutes(
    plane: ControlPlane,
) -> None:
    await start(plane, 2, minAvailable=1)
    evict(plane)
    await plane.settle()
    assert numbers(plane) == (2, 1, 1, 0)
    await plane.settle(122)
    assert numbers(plane) == (2, 1, 2, 1)


@scenario(*CONTROLLERS)
async def test_a_change_of_the_budget_must_be_counted_before_it_allows_anything(plane: ControlPlane) -> None:
    await start(plane, 2, minAvailable=1)
    plane.registry.patch("poddisruptionbudgets", "web", {"spec": {"minAvailable": 0}}, "default")
    with pytest.raises(StatusError) as raised:
        evict(plane)
    causes = raised.value.details["causes"]  # type: ignore[index]
    assert causes[0]["message"] == "The disruption budget web is still being processed by the server."


@scenario(*CONTROLLERS)
async def test_a_pod_that_is_not_ready_goes_free_if_the_others_suffice(plane: ControlPlane) -> None:
    await start(plane, 2, minAvailable=2)
    with pytest.raises(StatusError):
        evict(plane)
    sick: Object = {"conditions": [{"type": "Ready", "status": "False"}], "phase": "Running"}
    stray = pod("stray", labels={"app": "web"})
    stray["status"] = sick
    stray["metadata"]["namespace"] = "default"
    check_budget(plane.registry, stray)


@scenario(*CONTROLLERS)
async def test_two_budgets_of_one_pod_are_an_error(plane: ControlPlane) -> None:
    await start(plane, 1, minAvailable=0)
    other = budget(minAvailable=0)
    other["metadata"]["name"] = "other"
    plane.registry.create("poddisruptionbudgets", other)
    with pytest.raises(StatusError, match="more than one PodDisruptionBudget"):
        evict(plane)


@scenario(DisruptionController)
async def test_pods_without_a_controller_cannot_be_counted_in_shares(plane: ControlPlane) -> None:
    plane.registry.create("pods", pod(labels={"app": "web"}))
    plane.registry.create("poddisruptionbudgets", budget(maxUnavailable=1))
    await plane.settle()
    assert numbers(plane) == (0, 0, 0, 0)
    (message,) = plane.events("UnmanagedPods")
    assert "(selector: &LabelSelector{MatchLabels:map[string]string{app: web,},Match" in message


@scenario(DisruptionController)
async def test_a_budget_without_pods_says_so(plane: ControlPlane) -> None:
    plane.registry.create("poddisruptionbudgets", budget(minAvailable=1))
    await plane.settle()
    assert plane.events("NoPods") == ["No matching pods found"]
    assert numbers(plane) == (0, 1, 0, 0)
