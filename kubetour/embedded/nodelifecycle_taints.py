"""Which taints a node's state asks for, and when a taint drives a Pod away. Pure functions."""

from __future__ import annotations

from datetime import datetime

from kubetour.embedded.api import Object
from kubetour.embedded.podutil import condition, parse_time
from kubetour.embedded.taints import NOT_READY, UNREACHABLE, UNSCHEDULABLE, tolerating

# Condition, its status -> the taint (nodelifecycle/node_lifecycle_controller.go).
_BY_CONDITION = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
}
_MANAGED = frozenset({*_BY_CONDITION.values(), UNSCHEDULABLE})


def wanted_taints(node: Object, now: str) -> list[Object]:
    """Return the taints a node should have: those others gave it, and those its conditions or a cordon mean.

    One that is there already keeps its timeAdded.
    """
    present = node["spec"].get("taints") or []
    wanted: list[tuple[str, str]] = []
    for (kind, status), key in _BY_CONDITION.items():
        found = condition(node, kind)
        if found is not None and found["status"] == status:
            wanted.append((key, "NoSchedule"))
            if kind == "Ready":
                wanted.append((key, "NoExecute"))
    if node["spec"].get("unschedulable"):
        wanted.append((UNSCHEDULABLE, "NoSchedule"))
    kept = [
        taint
        for taint in present
        if taint["key"] not in _MANAGED or (taint["key"], taint["effect"]) in wanted
    ]
    known = {(taint["key"], taint["effect"]) for taint in kept}
    return kept + [
        {"key": key, "effect": effect, "timeAdded": now}
        for key, effect in wanted
        if (key, effect) not in known
    ]


def seconds_until_eviction(pod: Object, node: Object, now: datetime) -> float | None:
    """Return when a node's NoExecute taints drive a Pod away, 0 for at once, None for never.

    Of all tolerations that let it stay for a time the shortest counts (tainteviction/taint_eviction.go).
    """
    waits: list[float] = []
    for taint in node["spec"].get("taints") or ():
        if taint["effect"] != "NoExecute":
            continue
        tolerations = tolerating(pod, taint)
        if not tolerations:
            return 0.0
        limits = [item["tolerationSeconds"] for item in tolerations if "tolerationSeconds" in item]
        if limits:
            since = parse_time(taint["timeAdded"]) if taint.get("timeAdded") else now
            waits.append(max(min(limits) - (now - since).total_seconds(), 0.0))
    return min(waits, default=None)
