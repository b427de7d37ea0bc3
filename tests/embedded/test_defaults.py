"""Defaults that the recordings do not show: probes, volumes, policies, requests, other workloads."""

from __future__ import annotations

from typing import Any

import pytest

from kubetour.embedded import defaults
from kubetour.embedded.decoding import decode
from kubetour.embedded.qos import qos_class
from kubetour.embedded.resources import by_plural


def defaulted(plural: str, spec: Any) -> Any:
    obj, _ = decode(by_plural(plural), {"spec": spec})
    defaults.apply(by_plural(plural), obj)
    return obj["spec"]


def container(**fields: Any) -> Any:
    spec = defaulted("pods", {"containers": [{"name": "c", "image": "x:1", **fields}]})
    return spec["containers"][0]


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("app", "Always"),
        ("app:latest", "Always"),
        ("host:5000/app", "Always"),
        ("app:1.0", "IfNotPresent"),
        ("host:5000/app:1.0", "IfNotPresent"),
        ("app@sha256:abc", "IfNotPresent"),
        ("app:latest@sha256:abc", "Always"),
    ],
)
def test_the_pull_policy_follows_the_tag(image: str, policy: str) -> None:
    assert container(image=image)["imagePullPolicy"] == policy


def test_a_probe_is_completed() -> None:
    probe = container(readinessProbe={"httpGet": {"port": 80}, "periodSeconds": 1})["readinessProbe"]
    assert probe == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 1,
        "successThreshold": 1,
        "failureThreshold": 3,
    }


def test_a_pod_requests_what_it_limits_and_a_template_does_not() -> None:
    limits = {"limits": {"cpu": "1", "memory": "64Mi"}, "requests": {"cpu": "500m"}}
    assert container(resources=limits)["resources"]["requests"] == {"cpu": "500m", "memory": "64Mi"}
    template = {"spec": {"containers": [{"name": "c", "resources": limits}]}}
    spec = defaulted("deployments", {"template": template})
    assert spec["template"]["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "500m"}


def test_volumes_get_modes_and_a_plain_one_is_an_empty_dir() -> None:
    volumes = [
        {"name": "a"},
        {"name": "b", "configMap": {"name": "m"}},
        {"name": "h", "hostPath": {"path": "/"}},
    ]
    found = defaulted("pods", {"containers": [], "volumes": volumes})["volumes"]
    assert found[0] == {"name": "a", "emptyDir": {}}
    assert found[1]["configMap"]["defaultMode"] == 0o644
    assert found[2]["hostPath"]["type"] == ""


def test_a_pods_own_toleration_is_not_doubled() -> None:
    own = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 2}
    own["effect"] = "NoExecute"
    tolerations = defaulted("pods", {"containers": [], "tolerations": [own]})["tolerations"]
    assert [(t["key"].rpartition("/")[2], t["tolerationSeconds"]) for t in tolerations] == [
        ("not-ready", 2),
        ("unreachable", 300),
    ]


def test_a_recreate_strategy_gets_no_rolling_update() -> None:
    assert defaulted("deployments", {"strategy": {"type": "Recreate"}})["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize(
    ("plural", "fields"),
    [
        ("replicasets", {"replicas": 1}),
        ("daemonsets", {"revisionHistoryLimit": 10}),
        ("statefulsets", {"replicas": 1, "podManagementPolicy": "OrderedReady"}),
        ("jobs", {"completions": 1, "parallelism": 1, "backoffLimit": 6, "completionMode": "NonIndexed"}),
        ("horizontalpodautoscalers", {"minReplicas": 1}),
    ],
)
def test_each_workload_has_its_defaults(plural: str, fields: dict[str, Any]) -> None:
    spec = defaulted(plural, {})
    assert {key: spec[key] for key in fields} == fields


def test_client_ip_affinity_lasts_three_hours() -> None:
    spec = defaulted("services", {"sessionAffinity": "ClientIP", "ports": [{"port": 80}]})
    assert spec["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}


@pytest.mark.parametrize(
    ("resources", "quality"),
    [
        ([{}], "BestEffort"),
        ([{"requests": {"cpu": "1"}}], "Burstable"),
        ([{"limits": {"cpu": "1", "memory": "1Gi"}}], "Guaranteed"),
        ([{"limits": {"cpu": "1", "memory": "1Gi"}}, {}], "Burstable"),
        ([{"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}], "Burstable"),
        ([{"limits": {"example.com/gpu": "1"}}], "BestEffort"),
    ],
)
def test_the_quality_of_service_follows_from_resources(resources: list[Any], quality: str) -> None:
    assert qos_class({"containers": [{"resources": item} for item in resources]}) == quality


def test_an_autoscalers_behavior_is_told_whole() -> None:
    rules = {"stabilizationWindowSeconds": 60, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 5}]}
    scaler: Any = {"spec": {"behavior": {"scaleDown": dict(rules)}}}
    defaults.apply(by_plural("horizontalpodautoscalers"), scaler)
    assert scaler["spec"]["behavior"] == {
        "scaleDown": {**rules, "selectPolicy": "Max"},
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "selectPolicy": "Max",
            "policies": [
                {"type": "Pods", "value": 4, "periodSeconds": 15},
                {"type": "Percent", "value": 100, "periodSeconds": 15},
            ],
        },
    }
