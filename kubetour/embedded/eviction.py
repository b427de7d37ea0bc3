"""Whether a Pod may be evicted: its PodDisruptionBudget is asked, and charged.

After pkg/registry/core/pod/storage/eviction.go of Kubernetes.
"""

from __future__ import annotations

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.clock import rfc3339
from kubetour.embedded.disruption_status import conditions, selects
from kubetour.embedded.podutil import is_ready
from kubetour.embedded.registry import Registry

_REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
_TWO = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."


def check_budget(registry: Registry, pod: Object, *, dry_run: bool = False) -> None:
    """Take one disruption from the Pod's budget, if it has one; 429 where the budget has none left."""
    phase = (pod.get("status") or {}).get("phase")
    if phase in ("Succeeded", "Failed", "Pending") or "deletionTimestamp" in pod["metadata"]:
        return
    listed = registry.list("poddisruptionbudgets", pod["metadata"]["namespace"]).items
    budgets = [budget for budget in listed if selects(budget, pod)]
    if len(budgets) > 1:
        raise StatusError(500, "", _TWO)
    if budgets and not _spared(budgets[0], pod):
        charged = _charge(budgets[0], pod, registry)
        if not dry_run:
            registry.update("poddisruptionbudgets", charged, subresource="status")


def _spared(budget: Object, pod: Object) -> bool:
    """Tell whether a Pod may go at no cost: it is not ready, and the others suffice or do not matter."""
    if is_ready(pod):
        return False
    if (budget.get("spec") or {}).get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    found = budget.get("status") or {}
    desired = found.get("desiredHealthy", 0)
    return bool(desired > 0 and found.get("currentHealthy", 0) >= desired)


def _charge(budget: Object, pod: Object, registry: Registry) -> Object:
    metadata, found = budget["metadata"], budget.get("status") or {}
    name = metadata["name"]
    if found.get("observedGeneration", 0) < metadata.get("generation", 0):
        raise _too_many(f"The disruption budget {name} is still being processed by the server.")
    if found.get("disruptionsAllowed", 0) <= 0:
        desired, current = found.get("desiredHealthy", 0), found.get("currentHealthy", 0)
        raise _too_many(
            f"The disruption budget {name} needs {desired} healthy pods and has {current} currently"
        )
    now = registry.clock.now()
    noted = {**(found.get("disruptedPods") or {}), pod["metadata"]["name"]: rfc3339(now)}
    after = {**found, "disruptionsAllowed": found["disruptionsAllowed"] - 1, "disruptedPods": noted}
    return {**budget, "status": {**after, "conditions": conditions(budget, after, now)}}


def _too_many(cause: str) -> StatusError:
    details = {"causes": [{"reason": "DisruptionBudget", "message": cause}]}
    return StatusError(429, "TooManyRequests", _REFUSED, details)


def target_condition(now: str) -> Object:
    """Return the condition that tells of a Pod why it goes."""
    return {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
        "lastProbeTime": None,
        "lastTransitionTime": now,
    }
