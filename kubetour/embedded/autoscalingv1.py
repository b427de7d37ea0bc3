"""HorizontalPodAutoscalers as autoscaling/v1 shows them, with one target, of the CPU; v2 is what is stored.

`kubectl autoscale` speaks v1. What v1 has no field for is kept in annotations, as Kubernetes does it.
"""

from __future__ import annotations

import json
from typing import Any

from kubetour.embedded.api import Object

# Our own form in them: nobody but the conversion back reads what Kubernetes' own clients do not know.
_METRICS = "autoscaling.alpha.kubernetes.io/metrics"
_BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior"


def _cpu(metric: Object) -> int | None:
    resource = metric.get("resource") or {}
    target = resource.get("target") or {}
    if metric.get("type") != "Resource" or resource.get("name") != "cpu":
        return None
    found = target.get("averageUtilization")
    return int(found) if found is not None else None


def to_view(scaler: Object) -> Object:
    """Return a stored autoscaler as autoscaling/v1 shows it."""
    spec = dict(scaler.get("spec") or {})
    rest: list[Object] = []
    for metric in spec.pop("metrics", None) or []:
        target = _cpu(metric)
        if target is None or "targetCPUUtilizationPercentage" in spec:
            rest.append(metric)
        else:
            spec["targetCPUUtilizationPercentage"] = target
    metadata = dict(scaler["metadata"])
    more: dict[str, Any] = {_METRICS: rest, _BEHAVIOR: spec.pop("behavior", None)}
    kept = {name: json.dumps(value, separators=(",", ":")) for name, value in more.items() if value}
    if kept:
        metadata["annotations"] = {**(metadata.get("annotations") or {}), **kept}
    # v1 always has it, v2 where it is not 0.
    status = {"currentReplicas": 0, **(scaler.get("status") or {})}
    for field in ("conditions", "currentMetrics"):
        status.pop(field, None)
    return {**scaler, "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}


def from_view(scaler: Object) -> Object:
    """Return an autoscaling/v1 autoscaler as it is stored."""
    spec, metadata = dict(scaler.get("spec") or {}), dict(scaler["metadata"])
    annotations = dict(metadata.get("annotations") or {})
    metrics = _read(annotations.pop(_METRICS, ""), list) or []
    behavior = _read(annotations.pop(_BEHAVIOR, ""), dict)
    cpu = spec.pop("targetCPUUtilizationPercentage", None)
    if cpu is not None:
        target = {"type": "Utilization", "averageUtilization": cpu}
        metrics = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}, *metrics]
    if metrics:
        spec["metrics"] = metrics
    if behavior:
        spec["behavior"] = behavior
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    # v1 always has it, v2 where it is not 0.
    status = {"currentReplicas": 0, **(scaler.get("status") or {})}
    status.pop("currentCPUUtilizationPercentage", None)
    return {**scaler, "apiVersion": "autoscaling/v2", "metadata": metadata, "spec": spec, "status": status}


def _read(text: str, kind: type[Any]) -> Any:
    """Return what an annotation holds, None if that is none of our own."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, kind) else None
