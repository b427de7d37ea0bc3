"""Taints of nodes and the tolerations of Pods (component-helpers/scheduling/corev1)."""

from __future__ import annotations

from collections.abc import Iterable

from kubetour.embedded.api import Object
from kubetour.embedded.podutil import is_ready

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"


def tolerates(toleration: Object, taint: Object) -> bool:
    """Tell whether a toleration covers a taint."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")


def tolerating(pod: Object, taint: Object) -> list[Object]:
    """Return a Pod's tolerations that cover a taint."""
    return [item for item in pod["spec"].get("tolerations") or () if tolerates(item, taint)]


def untolerated(pod: Object, node: Object, effects: Iterable[str]) -> list[Object]:
    """Return a node's taints with one of those effects that a Pod does not tolerate."""
    return [taint for taint in effective(node) if taint["effect"] in effects and not tolerating(pod, taint)]


def effective(node: Object) -> list[Object]:
    """Return a node's taints. One that is not ready counts as tainted before the taint is written."""
    taints: list[Object] = node["spec"].get("taints") or []
    if is_ready(node) or any(taint["key"] in (NOT_READY, UNREACHABLE) for taint in taints):
        return taints
    return [*taints, {"key": NOT_READY, "effect": "NoSchedule"}]
