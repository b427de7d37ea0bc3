"""Which nodes can take a Pod, why others cannot, and which is the best. Pure functions.

Reasons and the message are the words of kube-scheduler v1.36 (framework/types.go, plugins/*).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from kubetour.embedded.api import Object
from kubetour.embedded.scheduler_resources import Amounts, NodeInfo, owner_of
from kubetour.embedded.selectors import Requirement
from kubetour.embedded.taints import UNSCHEDULABLE, tolerating, untolerated

_NO_NODES = "no nodes available to schedule pods"
_UNHELPFUL = "Preemption is not helpful for scheduling"
_NO_VICTIMS = "No preemption victims found for incoming pod"


@dataclass(frozen=True)
class Rejection:
    """Why a node cannot take a Pod; `resolvable` where fewer Pods on the node would help."""

    reasons: tuple[str, ...]
    resolvable: bool = False


@dataclass
class Verdict:
    """What became of the nodes that were looked at."""

    feasible: list[NodeInfo] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)


def reject(pod: Object, wanted: Amounts, info: NodeInfo) -> Rejection | None:
    """Return why a node cannot take a Pod that requests `wanted` (the first filter that says so), or None."""
    node = info.node
    if not info.takes_all:
        if node["spec"].get("unschedulable") and not tolerating(
            pod, {"key": UNSCHEDULABLE, "effect": "NoSchedule"}
        ):
            return Rejection(("node(s) were unschedulable",))
        if untolerated(pod, node, ("NoSchedule", "NoExecute")):
            return Rejection(("node(s) had untolerated taint(s)",))
    if not matches_affinity(pod, node):
        return Rejection(("node(s) didn't match Pod's node affinity/selector",))
    return _fit(wanted, info)


def _fit(wanted: Amounts, info: NodeInfo) -> Rejection | None:
    reasons, resolvable = [], True
    if info.pods >= info.places:
        reasons.append("Too many pods")
    for name, amount in wanted.items():
        available = info.allocatable.get(name, 0)
        if amount > available - info.requested[name]:
            reasons.append(f"Insufficient {name}")
            # More than the node has when empty: nobody's leaving would help.
            resolvable = resolvable and amount <= available
    return Rejection(tuple(reasons), resolvable) if reasons else None


def is_undemanding(pod: Object) -> bool:
    """Tell whether a Pod says nothing of the node that it wants."""
    return "nodeSelector" not in pod["spec"] and "affinity" not in pod["spec"]


def matches_affinity(pod: Object, node: Object) -> bool:
    """Tell whether a node has what nodeSelector and the required node affinity ask for."""
    if is_undemanding(pod):
        return True
    labels = node["metadata"].get("labels") or {}
    selector = pod["spec"].get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in selector.items()):
        return False
    required = _node_affinity(pod).get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return True
    return any(_term_matches(term, node) for term in required.get("nodeSelectorTerms") or ())


def _node_affinity(pod: Object) -> Object:
    found: Object = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    return found


def _term_matches(term: Object, node: Object) -> bool:
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    labels, names = node["metadata"].get("labels") or {}, {"metadata.name": node["metadata"]["name"]}
    # A term that asks for nothing matches nothing.
    return bool(expressions or fields) and all(
        Requirement(item["key"], item["operator"], frozenset(item.get("values") or ())).matches(values)
        for items, values in ((expressions, labels), (fields, names))
        for item in items
    )


def best(pod: Object, feasible: Sequence[NodeInfo], random: Random) -> NodeInfo:
    """Return the node to take: least against the Pod's preferences, then with the fewest Pods of the same
    owner, then with the fewest Pods; among equals by chance."""
    preferred = _node_affinity(pod).get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    left, owner = feasible, owner_of(pod)
    if not all(info.takes_all for info in left):
        left = _least(left, [len(untolerated(pod, info.node, ("PreferNoSchedule",))) for info in left])
    if preferred:
        left = _least(left, [-_weight(preferred, info.node) for info in left])
    if owner:
        left = _least(left, [info.owners.get(owner, 0) for info in left])
    return random.choice(_least(left, [info.pods for info in left]))


def _weight(preferred: Sequence[Object], node: Object) -> int:
    return sum(item["weight"] for item in preferred if _term_matches(item["preference"], node))


def _least(infos: Sequence[NodeInfo], values: Sequence[int]) -> Sequence[NodeInfo]:
    """Return those whose value is the least."""
    least = min(values)
    return [info for info, value in zip(infos, values, strict=True) if value == least]


def failure_message(rejections: Sequence[Rejection]) -> str:
    """Return the text of FailedScheduling: how many nodes for which reasons, and why no preemption helps."""
    if not rejections:
        return _NO_NODES
    count = len(rejections)
    reasons = Counter(reason for rejection in rejections for reason in rejection.reasons)
    preemption = Counter(_NO_VICTIMS if rejection.resolvable else _UNHELPFUL for rejection in rejections)
    head = f"0/{count} nodes are available: "
    return f"{head}{_tally(reasons)}. no new claims to deallocate, preemption: {head}{_tally(preemption)}."


def _tally(counts: Counter[str]) -> str:
    return ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items()))
