"""Whether a node takes a Pod that names it by itself: nobody has asked before whether it fits.

k8s.io/kubernetes/pkg/kubelet/lifecycle/predicate.go
"""

from __future__ import annotations

from collections.abc import Iterable

from kubetour.embedded.api import API, Object
from kubetour.embedded.podutil import condition, is_terminal
from kubetour.embedded.scheduler_filters import matches_affinity
from kubetour.embedded.scheduler_resources import NodeInfo, requests
from kubetour.embedded.taints import untolerated


def refused(pod: Object, node: str, api: API) -> tuple[str, str] | None:
    """Return why the node of that name refuses a new Pod, as `refusal` does; of any other Pod None."""
    if is_known(pod):
        return None
    return refusal(pod, api.get("nodes", node), api.list("pods", fields=f"spec.nodeName={node}").items)


def is_known(pod: Object) -> bool:
    """Tell whether a scheduler has found that a Pod fits, or a kubelet has taken it already."""
    scheduled = condition(pod, "PodScheduled")
    return bool(scheduled and scheduled["status"] == "True") or "startTime" in (pod.get("status") or {})


def refusal(pod: Object, node: Object, others: Iterable[Object]) -> tuple[str, str] | None:
    """Return the reason, and in words why, for which a node refuses a Pod beside its others, or None."""
    info = NodeInfo()
    info.set_node(node)
    for other in others:
        if other["metadata"]["uid"] != pod["metadata"]["uid"] and not is_terminal(other) and is_known(other):
            info.count(other, 1)
    if info.pods >= info.places:
        return _out_of("pods", 1, info.pods, info.places)
    for name, wanted in requests(pod).items():
        if name not in info.allocatable:  # a kubelet lets pass what its node knows nothing of
            continue
        used, there = info.requested[name], info.allocatable[name]
        if wanted > there - used:
            unit = 1 if name == "cpu" else 1000  # Kubernetes counts thousandths of CPUs only
            return _out_of(name, wanted // unit, used // unit, there // unit)
    if not matches_affinity(pod, node):
        return _failed("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")
    if untolerated(pod, node, ("NoExecute",)):
        return _failed("TaintToleration", "node(s) had untolerated taint(s)")
    return None


def _out_of(name: str, requested: int, used: int, capacity: int) -> tuple[str, str]:
    why = f"Node didn't have enough resource: {name}"
    return f"OutOf{name}", f"{why}, requested: {requested}, used: {used}, capacity: {capacity}"


def _failed(name: str, why: str) -> tuple[str, str]:
    return name, f"Predicate {name} failed: {why}"
