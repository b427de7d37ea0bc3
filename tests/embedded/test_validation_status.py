"""What may be written through /status, in Kubernetes' own words."""
# ruff: noqa: E501 -- the messages are long, and cutting them would hide what is compared

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.registry import Registry
from tests.embedded.test_validation import CONTAINER, DEPLOYMENT, NOT_NEGATIVE, POD, causes, registry

__all__ = ["registry"]
TEMPLATE = {"metadata": {"labels": {"app": "d"}}, "spec": {"containers": [CONTAINER]}}
SET = {"selector": {"matchLabels": {"app": "d"}}, "template": TEMPLATE}
ONCE = {"restartPolicy": "Never", "containers": [CONTAINER]}
MADE: dict[str, Object] = {
    "daemonsets": {"spec": SET},
    "deployments": {"spec": DEPLOYMENT["spec"]},
    "ingresses": {"spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}},
    "jobs": {"spec": {"template": {"spec": ONCE}}},
    "namespaces": {},
    "nodes": {},
    "poddisruptionbudgets": {"spec": {"minAvailable": 1}},
    "pods": {"spec": POD["spec"]},
    "replicasets": {"spec": SET},
    "services": {"spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}},
    "statefulsets": {"spec": {**SET, "serviceName": "s"}},
}
IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
T1, T2 = "2026-01-01T00:00:00Z", "2026-01-01T00:00:05Z"


def conditions(*kinds: str) -> list[Object]:
    return [{"type": kind, "status": "True"} for kind in kinds]


def made(registry: Registry, plural: str) -> str:
    """Create one object of that kind and return its namespace."""
    space = "" if plural in ("namespaces", "nodes") else "default"
    registry.create(plural, {**MADE[plural], "metadata": {"name": "n"}}, space)
    return space


@pytest.mark.parametrize(
    ("plural", "status", "expected"),
    [
        ("deployments", {"replicas": -1}, [f"status.replicas: Invalid value: -1: {NOT_NEGATIVE}", *(f"status.{key}: Invalid value: 0: cannot be greater than status.replicas" for key in ("updatedReplicas", "readyReplicas", "availableReplicas"))]),
        ("deployments", {"replicas": 1, "readyReplicas": 1, "availableReplicas": 2}, ["status.availableReplicas: Invalid value: 2: cannot be greater than status.replicas", "status.availableReplicas: Invalid value: 2: cannot be greater than readyReplicas"]),
        ("deployments", {"updatedReplicas": 1, "observedGeneration": -1}, [f"status.observedGeneration: Invalid value: -1: {NOT_NEGATIVE}", "status.updatedReplicas: Invalid value: 1: cannot be greater than status.replicas"]),
        ("replicasets", {"replicas": 1, "fullyLabeledReplicas": 2}, ["status.fullyLabeledReplicas: Invalid value: 2: cannot be greater than status.replicas"]),
        ("statefulsets", {"replicas": 2, "availableReplicas": 1}, ["status.availableReplicas: Invalid value: 1: cannot be greater than status.readyReplicas"]),
        ("daemonsets", {"numberReady": -1, "currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0}, [f"status.numberReady: Invalid value: -1: {NOT_NEGATIVE}"]),
        ("poddisruptionbudgets", {"expectedPods": -2}, [f"status.expectedPods: Invalid value: -2: {NOT_NEGATIVE}"]),
        ("namespaces", {"phase": "Terminating"}, ["status.Phase: Invalid value: \"Terminating\": may only be 'Active' if `deletionTimestamp` is empty"]),
        ("services", {"loadBalancer": {"ingress": [{"ip": "x"}, {"hostname": "1.2.3.4"}]}}, [f'status.loadBalancer.ingress[0].ip: Invalid value: "x": {IP}', 'status.loadBalancer.ingress[1].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address']),
        ("ingresses", {"loadBalancer": {"ingress": [{"ip": "300.1.1.1"}]}}, [f'status.loadBalancer.ingress[0].ip: Invalid value: "300.1.1.1": {IP}']),
        ("nodes", {"capacity": {"cpu": "-1"}}, [f'status.capacity.cpu: Invalid value: "-1": {NOT_NEGATIVE}']),
        ("pods", {"qosClass": "Guaranteed"}, ['status.qosClass: Invalid value: "Guaranteed": field is immutable']),
        ("pods", {"podIPs": [{"ip": "here"}]}, [f'status.podIPs[0]: Invalid value: "here": {IP}']),
        ("jobs", {"active": -1}, [f"status.active: Invalid value: -1: {NOT_NEGATIVE}"]),
        ("jobs", {"active": 1, "ready": 2}, ["status.ready: Invalid value: 2: cannot set more ready pods than active"]),
        ("jobs", {"completionTime": T1}, [f'status.completionTime: Invalid value: "{T1}": cannot set completionTime when there is no Complete=True condition']),
        ("jobs", {"startTime": T1, "conditions": conditions("Failed")}, ["status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition"]),
        ("jobs", {"active": 1, "conditions": conditions("Complete")}, ["status.completionTime: Required value: completionTime is required for Complete jobs", "status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition", "status.active: Invalid value: 1: active>0 is invalid for finished job", "status.startTime: Required value: startTime is required for finished job"]),
        ("jobs", {"startTime": T2, "completionTime": T1, "conditions": conditions("SuccessCriteriaMet", "Complete")}, [f'status.completionTime: Invalid value: "{T1}": completionTime cannot be set before startTime']),
    ],
)  # fmt: skip
def test_a_status_that_cannot_be_is_refused(
    registry: Registry, plural: str, status: Any, expected: list[str]
) -> None:
    space = made(registry, plural)
    assert causes(lambda: registry.patch(plural, "n", {"status": status}, space, subresource="status")) == (
        expected
    )


@pytest.mark.parametrize(
    ("plural", "first", "then", "expected"),
    [
        ("deployments", {"collisionCount": 2}, {"collisionCount": 1}, "status.collisionCount: Invalid value: 1: cannot be decremented"),
        ("jobs", {"failed": 2}, {"failed": 1}, "status.failed: Invalid value: 1: cannot decrease the failed counter"),
        ("jobs", {"conditions": conditions("FailureTarget")}, {"conditions": []}, "status.conditions: Invalid value: cannot disable the terminal FailureTarget=True condition"),
        ("jobs", {"startTime": T1}, {"startTime": None}, "status.startTime: Required value: startTime cannot be removed for unsuspended job"),
    ],
)  # fmt: skip
def test_what_a_status_says_for_ever_stays(
    registry: Registry, plural: str, first: Any, then: Any, expected: str
) -> None:
    space = made(registry, plural)
    registry.patch(plural, "n", {"status": first}, space, subresource="status")
    change = {"status": then}
    assert causes(lambda: registry.patch(plural, "n", change, space, subresource="status")) == [expected]


def test_a_job_that_ends_as_the_controller_ends_it_is_taken(registry: Registry) -> None:
    space = made(registry, "jobs")
    done = conditions("SuccessCriteriaMet", "Complete")
    end = {"succeeded": 1, "startTime": T1, "completionTime": T2, "conditions": done}
    job = registry.patch("jobs", "n", {"status": end}, space, subresource="status")
    assert job["status"]["succeeded"] == 1


@pytest.mark.parametrize(("policy", "refused"), [("Never", True), ("OnFailure", True), ("Always", False)])
def test_a_container_that_is_not_restarted_stays_ended(
    registry: Registry, policy: str, refused: bool
) -> None:
    spec = {**MADE["pods"]["spec"], "restartPolicy": policy}
    registry.create("pods", {"metadata": {"name": "n"}, "spec": spec}, "default")
    states = (
        {"status": {"containerStatuses": [{"name": "c", "image": "x", "state": state}]}}
        for state in ({"terminated": {"exitCode": 0}}, {"running": {"startedAt": T1}})
    )
    registry.patch("pods", "n", next(states), "default", subresource="status")
    again = next(states)
    if refused:
        (cause,) = causes(lambda: registry.patch("pods", "n", again, "default", subresource="status"))
        text = "may not be transitioned to non-terminated state"
        assert cause == f"status.containerStatuses[0].state: Forbidden: {text}"
    else:
        registry.patch("pods", "n", again, "default", subresource="status")


def test_an_address_is_given_to_a_load_balancer_only(registry: Registry) -> None:
    made(registry, "services")
    status = {"status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}}
    balanced = registry.patch("services", "n", status, "default", subresource="status")
    assert balanced["status"]["loadBalancer"]["ingress"] == [{"ip": "203.0.113.7", "ipMode": "VIP"}]
    plain = registry.patch("services", "n", {"spec": {"type": "ClusterIP"}}, "default")
    assert plain["status"] == {"loadBalancer": {}}
    registry.create("services", {"metadata": {"name": "plain"}, "spec": {"ports": [{"port": 80}]}}, "default")
    (cause,) = causes(lambda: registry.patch("services", "plain", status, "default", subresource="status"))
    text = "may only be used when `spec.type` is 'LoadBalancer'"
    assert cause == f"status.loadBalancer.ingress: Forbidden: {text}"


@pytest.mark.parametrize(
    ("plural", "status"),
    [
        ("pods", {"conditions": [{"status": "True"}]}),
        ("pods", {"containerStatuses": [{"state": {"terminated": {}}}]}),
        ("jobs", {"conditions": [{"status": "True"}]}),
        ("nodes", {"addresses": [{}], "conditions": [{}]}),
    ],
)
def test_parts_without_a_name_are_no_fault_of_the_servers(
    registry: Registry, plural: str, status: Any
) -> None:
    space = made(registry, plural)
    for change in (status, {"message": "again"} if plural == "pods" else status):
        with contextlib.suppress(StatusError):  # refused or taken: any other error is the server's own
            registry.patch(plural, "n", {"status": change}, space, subresource="status")
