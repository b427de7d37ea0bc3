"""Autoscalers in their two versions: nothing is lost on the way to v1 and back."""

from __future__ import annotations

from typing import Any

import pytest

from kubetour.embedded.api import Object
from kubetour.embedded.autoscalingv1 import from_view, to_view

CPU = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
}
MEMORY = {
    "type": "Resource",
    "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}},
}


def scaler(**spec: Any) -> Object:
    return {
        "kind": "HorizontalPodAutoscaler",
        "apiVersion": "autoscaling/v2",
        "metadata": {"name": "web"},
        "spec": {"maxReplicas": 5, **spec},
        "status": {"currentReplicas": 1},
    }


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"metrics": [CPU]},
        {"metrics": [CPU, MEMORY]},
        {"metrics": [MEMORY]},
        {"behavior": {"scaleDown": {"policies": []}}},
    ],
    ids=["no metrics", "the CPU", "the CPU and more", "something else", "a behaviour"],
)
def test_a_stored_autoscaler_survives_v1(spec: Object) -> None:
    assert from_view(to_view(scaler(**spec))) == scaler(**spec)


def test_v1_has_one_number_for_the_cpu() -> None:
    seen = to_view(scaler(metrics=[CPU, MEMORY]))
    assert (seen["apiVersion"], seen["spec"]) == (
        "autoscaling/v1",
        {"maxReplicas": 5, "targetCPUUtilizationPercentage": 50},
    )


def test_v1_always_has_a_number_of_replicas() -> None:
    assert to_view({**scaler(), "status": {"desiredReplicas": 1}})["status"]["currentReplicas"] == 0


def test_an_annotation_that_is_not_ours_is_no_metric() -> None:
    seen = to_view(scaler(metrics=[CPU]))
    seen["metadata"]["annotations"] = {"autoscaling.alpha.kubernetes.io/metrics": "nonsense", "a": "b"}
    stored = from_view(seen)
    assert stored["metadata"]["annotations"] == {"a": "b"}
    assert stored["spec"]["metrics"] == [CPU]
