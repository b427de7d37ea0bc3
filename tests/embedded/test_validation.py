"""Validation in Kubernetes' own words: field, message, cause."""
# ruff: noqa: E501 -- the messages are long, and cutting them would hide what is compared

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.bootstrap import bootstrap
from kubetour.embedded.etcd import Store
from kubetour.embedded.registry import Registry
from tests.embedded.controlplane import FakeClock


@pytest.fixture
def registry() -> Iterator[Registry]:
    store = Store(":memory:")
    registry = Registry(store, FakeClock())
    bootstrap(registry, service_ip="127.64.128.1", address="127.0.0.1", port=6443)
    yield registry
    store.close()


CONTAINER = {"name": "c", "image": "x:1", "ports": [{"containerPort": 80}]}
POD = {"metadata": {"name": "p"}, "spec": {"containers": [CONTAINER]}}
DEPLOYMENT: Object = {
    "metadata": {"name": "d"},
    "spec": {
        "selector": {"matchLabels": {"app": "d"}},
        "template": {"metadata": {"labels": {"app": "d"}}, "spec": {"containers": [CONTAINER]}},
    },
}
SERVICE = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}
BASES = {"pods": POD, "deployments": DEPLOYMENT, "services": SERVICE}


def changed(base: Object, path: str, value: Any) -> Object:
    """Return a copy with one value set: "spec.containers.0.name"."""
    result = copy.deepcopy(base)
    target: Any = result
    *parents, last = path.split(".")
    for part in parents:
        target = target[int(part)] if isinstance(target, list) else target.setdefault(part, {})
    if isinstance(target, list):
        target[int(last)] = value
    else:
        target[last] = value
    return result


def causes(call: Callable[[], object]) -> list[str]:
    with pytest.raises(StatusError) as caught:
        call()
    assert (caught.value.code, caught.value.reason) == (422, "Invalid")
    details = caught.value.details or {}
    listed = [f"{cause['field']}: {cause['message']}" for cause in details["causes"]]
    assert all(text in caught.value.message for text in listed)
    return listed


RANGE = "must be between 1 and 65535, inclusive"
NOT_NEGATIVE = "must be greater than or equal to 0"
C0 = "spec.containers[0]"


@pytest.mark.parametrize(
    ("plural", "path", "value", "expected"),
    [
        ("pods", "metadata.name", "", "metadata.name: Required value: name or generateName is required"),
        ("pods", "spec.containers.0.name", "", f"{C0}.name: Required value"),
        ("pods", "spec.containers.0.image", "", f"{C0}.image: Required value"),
        ("pods", "spec.containers.0.imagePullPolicy", "No", f'{C0}.imagePullPolicy: Unsupported value: "No": supported values: "Always", "IfNotPresent", "Never"'),
        ("pods", "spec.containers.0.ports.0.containerPort", 70000, f"{C0}.ports[0].containerPort: Invalid value: 70000: {RANGE}"),
        ("pods", "spec.containers.0.ports.0.protocol", "tcp", f'{C0}.ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"'),
        ("pods", "spec.containers.0.volumeMounts", [{"name": "v", "mountPath": "/"}], f'{C0}.volumeMounts[0].name: Not found: "v"'),
        ("pods", "spec.containers.0.readinessProbe", {"periodSeconds": 1}, f"{C0}.readinessProbe: Required value: must specify a handler type"),
        ("pods", "spec.containers.0.livenessProbe", {"httpGet": {"port": 0}}, f"{C0}.livenessProbe.httpGet.port: Invalid value: 0: {RANGE}"),
        ("pods", "spec.containers.0.lifecycle", {"preStop": {}}, f"{C0}.lifecycle.preStop: Required value: must specify a handler type"),
        ("pods", "spec.containers.0.lifecycle", {"preStop": {"sleep": {"seconds": 31}}}, f"{C0}.lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)"),
        ("pods", "spec.containers.0.lifecycle", {"postStart": {"sleep": {"seconds": 1}, "exec": {"command": ["x"]}}}, f"{C0}.lifecycle.postStart.sleep: Forbidden: may not specify more than 1 handler type"),
        ("pods", "spec.containers.0.lifecycle", {"postStart": {"exec": {}}}, f"{C0}.lifecycle.postStart.exec.command: Required value"),
        ("pods", "spec.initContainers", [{"name": "i", "image": "x", "lifecycle": {"preStop": {"sleep": {}}}}], "spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always"),
        ("pods", "spec.containers.0.resources", {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}}, f'{C0}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'),
        ("pods", "spec.containers.1", CONTAINER, None),
        ("pods", "spec.restartPolicy", "Sometimes", 'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"'),
        ("deployments", "spec.replicas", -1, f"spec.replicas: Invalid value: -1: {NOT_NEGATIVE}"),
        ("deployments", "spec.selector", {}, "spec.selector: Invalid value: {}: empty selector is invalid for deployment"),
        ("deployments", "spec.selector.matchLabels", {"app": "other"}, 'spec.template.metadata.labels: Invalid value: {"app":"d"}: `selector` does not match template `labels`'),
        ("deployments", "spec.strategy", {"type": "Slow"}, 'spec.strategy.type: Unsupported value: "Slow": supported values: "Recreate", "RollingUpdate"'),
        ("deployments", "spec.strategy", {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}, "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"),
        ("deployments", "spec.template.spec.restartPolicy", "Never", 'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'),
        ("deployments", "spec.progressDeadlineSeconds", 0, "spec.progressDeadlineSeconds: Invalid value: 0: must be greater than minReadySeconds"),
        ("services", "spec.ports", [], "spec.ports: Required value"),
        ("services", "spec.ports", [{"port": 70000, "targetPort": 1}], f"spec.ports[0].port: Invalid value: 70000: {RANGE}"),
        ("services", "spec.ports", [{"port": 1}, {"name": "b", "port": 2}], "spec.ports[0].name: Required value"),
        ("services", "spec.type", "Magic", 'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'),
        ("services", "spec.ports.0.nodePort", 30000, "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"),
        ("services", "spec.clusterIP", "10.0.0.1", 'spec.clusterIPs: Invalid value: ["10.0.0.1"]: failed to allocate IP 10.0.0.1: the provided IP (10.0.0.1) is not in the valid range. The range of valid IPs is 127.64.128.1-127.64.254.254'),
    ],
)  # fmt: skip
def test_a_new_object_is_refused_with_the_reason(
    registry: Registry, plural: str, path: str, value: Any, expected: str | None
) -> None:
    if expected is None:  # a second container of the same name
        obj = copy.deepcopy(POD)
        obj["spec"]["containers"].append(CONTAINER)  # type: ignore[index]
        expected = 'spec.containers[1].name: Duplicate value: "c"'
    else:
        obj = changed(BASES[plural], path, value)
    assert causes(lambda: registry.create(plural, obj, "default")) == [expected]


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("metadata.labels", {"bad key": "v"}, "name part must consist of alphanumeric characters"),
        ("metadata.labels", {"k": "bad value!"}, "a valid label must be an empty string or consist of"),
        ("metadata.labels", {"k": "x" * 64}, "must be no more than 63 bytes"),
        ("metadata.annotations", {"/k": "v"}, "prefix part must be non-empty"),
        ("metadata.finalizers", ["-"], "name part must consist of"),
        ("metadata.ownerReferences", [{"kind": "Pod"}], "version must not be empty"),
        ("metadata.name", "UPPER", "a lowercase RFC 1123 subdomain must consist of"),
        ("metadata.name", "x" * 254, "must be no more than 253 characters"),
    ],
)
def test_bad_metadata_is_refused(registry: Registry, path: str, value: Any, problem: str) -> None:
    obj = changed(POD, path, value)
    assert any(problem in cause for cause in causes(lambda: registry.create("pods", obj, "default")))


def test_of_a_pod_little_more_than_the_image_may_change(registry: Registry) -> None:
    registry.create("pods", POD, "default")
    image = {"spec": {"containers": [{**CONTAINER, "image": "x:2", "imagePullPolicy": "IfNotPresent"}]}}
    current = registry.get("pods", "p", "default")
    current["spec"]["containers"][0]["image"] = "x:2"
    assert registry.update("pods", current)["metadata"]["generation"] == 2
    (cause,) = causes(lambda: registry.patch("pods", "p", {"spec": {"nodeName": "n"}}, "default"))
    assert cause.startswith("spec: Forbidden: pod updates may not change fields other than `spec.containers")
    del image["spec"]["containers"][0]["ports"]
    causes(lambda: registry.patch("pods", "p", image, "default"))


@pytest.mark.parametrize("plural", ["deployments"])
def test_a_selector_is_for_ever(registry: Registry, plural: str) -> None:
    registry.create(plural, DEPLOYMENT, "default")
    labels = {"app": "e"}
    change = {"spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}}
    found = causes(lambda: registry.patch(plural, "d", change, "default"))
    assert found == ['spec.selector: Invalid value: {"matchLabels":{"app":"e"}}: field is immutable']


def test_an_immutable_config_map_stays_as_it_is(registry: Registry) -> None:
    obj = {"metadata": {"name": "c"}, "data": {"a": "1"}, "immutable": True}
    registry.create("configmaps", obj, "default")
    found = causes(lambda: registry.patch("configmaps", "c", {"data": {"a": "2"}}, "default"))
    assert found == ["data: Forbidden: field is immutable when `immutable` is set"]


def test_several_faults_come_in_one_answer(registry: Registry) -> None:
    obj = changed(changed(DEPLOYMENT, "spec.replicas", -1), "metadata.name", "BAD")
    with pytest.raises(StatusError) as caught:
        registry.create("deployments", obj, "default")
    assert caught.value.message.startswith('Deployment.apps "BAD" is invalid: [metadata.name: Invalid value')
    assert len((caught.value.details or {})["causes"]) == 2
    assert json.dumps(caught.value.status())
