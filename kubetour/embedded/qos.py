"""The quality-of-service class of a Pod: from its containers' requests and limits, nothing else."""

from __future__ import annotations

from kubetour.embedded.api import Object


def qos_class(spec: Object) -> str:
    """Return "Guaranteed", "Burstable" or "BestEffort", by Kubernetes' rule (cpu and memory only)."""
    containers = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    resources = [container.get("resources") or {} for container in containers]
    asked = [
        {
            name
            for part in ("requests", "limits")
            for name in (res.get(part) or {})
            if name in ("cpu", "memory")
        }
        for res in resources
    ]
    if not any(asked):
        return "BestEffort"
    for res in resources:
        limits = res.get("limits") or {}
        requests = {**limits, **(res.get("requests") or {})}
        if any(name not in limits or requests[name] != limits[name] for name in ("cpu", "memory")):
            return "Burstable"
    return "Guaranteed"
