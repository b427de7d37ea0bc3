"""A PodDisruptionBudget's status: how many of its Pods must stay, and how many may go. Pure functions.

After pkg/controller/disruption of Kubernetes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kubetour.embedded.api import Object
from kubetour.embedded.clock import rfc3339
from kubetour.embedded.deployment_util import resolve
from kubetour.embedded.podutil import condition, is_ready, parse_time
from kubetour.embedded.selectors import from_label_selector

ALLOWED = "DisruptionAllowed"
# For so long an evicted Pod counts as gone, even if its deletion has not been seen.
DELETION_TIMEOUT = 120.0


def selects(budget: Object, pod: Object) -> bool:
    """Tell whether a budget is about a Pod: an empty selector means every Pod, none at all means no Pod."""
    selector = (budget.get("spec") or {}).get("selector")
    if selector is None:
        return False
    return from_label_selector(selector).matches(pod["metadata"].get("labels"))


def desired_healthy(budget: Object, scale: int, pods: int) -> tuple[int, int]:
    """Return how many Pods are expected and how many of them must stay healthy.

    `scale` is what their controllers want; only a minAvailable in Pods counts the Pods there are.
    """
    spec = budget.get("spec") or {}
    if "maxUnavailable" in spec:
        return scale, max(scale - resolve(spec["maxUnavailable"], scale, up=True), 0)
    wanted = spec.get("minAvailable", 0)
    expected = scale if isinstance(wanted, str) else pods
    return expected, resolve(wanted, expected, up=True)


def disrupted(budget: Object, pods: Sequence[Object], now: datetime) -> dict[str, str]:
    """Return which evicted Pods are still to be seen to go, and when they were evicted."""
    noted = (budget.get("status") or {}).get("disruptedPods") or {}
    alive = {pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]}
    return {name: at for name, at in noted.items() if name in alive and not _over(at, now)}


def _over(at: str, now: datetime) -> bool:
    return (now - parse_time(at)).total_seconds() > DELETION_TIMEOUT


def healthy(pods: Sequence[Object], gone: dict[str, str]) -> int:
    """Return how many Pods are ready and stay."""
    return sum(
        is_ready(pod) and "deletionTimestamp" not in pod["metadata"] and pod["metadata"]["name"] not in gone
        for pod in pods
    )


def status(budget: Object, pods: Sequence[Object], scale: int, now: datetime) -> Object:
    """Return the status of a budget whose Pods are these."""
    expected, desired = desired_healthy(budget, scale, len(pods))
    gone = disrupted(budget, pods, now)
    current = healthy(pods, gone)
    found: Object = {
        "currentHealthy": current,
        "desiredHealthy": desired,
        "disruptionsAllowed": max(current - desired, 0) if expected > 0 else 0,
        "expectedPods": expected,
        "observedGeneration": budget["metadata"].get("generation", 1),
    }
    if gone:
        found["disruptedPods"] = gone
    found["conditions"] = conditions(budget, found, now)
    return found


def conditions(budget: Object, found: Object, now: datetime) -> list[Object]:
    """Return a budget's conditions with the one that says whether any Pod may go."""
    allowed = found["disruptionsAllowed"] > 0
    before = condition(budget, ALLOWED)
    value = "True" if allowed else "False"
    same = before is not None and before["status"] == value
    mine = {
        "type": ALLOWED,
        "status": value,
        "reason": "SufficientPods" if allowed else "InsufficientPods",
        "message": "",
        "observedGeneration": found["observedGeneration"],
        "lastTransitionTime": before["lastTransitionTime"] if before and same else rfc3339(now),
    }
    kept = [item for item in (budget.get("status") or {}).get("conditions") or [] if item["type"] != ALLOWED]
    return [*kept, mine]
