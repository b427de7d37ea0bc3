"""What Pods request and what is left on a node, as whole thousandths so that sums are exact and fast."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from itertools import chain

from kubetour.embedded import quantity, taints
from kubetour.embedded.api import Object
from kubetour.embedded.informer import Key, controller_of, key_of

Amounts = dict[str, int]


def amounts(quantities: Mapping[str, str | float] | None) -> Amounts:
    """Return quantities in thousandths, rounded up."""
    return {name: math.ceil(quantity.parse(value) * 1000) for name, value in (quantities or {}).items()}


def requests(pod: Object) -> Amounts:
    """Return what a Pod requests: its containers together, or its largest init container if that is more.

    Init containers that always restart are sidecars and run beside all that come after them
    (component-helpers/resource/helpers.go).
    """
    spec = pod["spec"]
    if _asks_for_nothing(spec):
        return {}
    running = Counter[str]()
    for container in spec.get("containers") or ():
        running.update(_of(container))
    sidecars, peak = Counter[str](), Counter[str]()
    for container in spec.get("initContainers") or ():
        wanted = Counter(_of(container))
        wanted.update(sidecars)
        if container.get("restartPolicy") == "Always":
            sidecars = wanted
        peak |= wanted
    running.update(sidecars)
    total = running | peak
    total.update(amounts(spec.get("overhead")))
    return dict(total)


def _asks_for_nothing(spec: Object) -> bool:
    containers = chain(spec.get("containers") or (), spec.get("initContainers") or ())
    return "overhead" not in spec and not any((c.get("resources") or {}).get("requests") for c in containers)


def _of(container: Object) -> Amounts:
    return amounts((container.get("resources") or {}).get("requests"))


class NodeInfo:
    """A node and what the Pods assigned to it take: resources, places, and how many belong to each owner."""

    def __init__(self) -> None:
        self.node: Object = {}
        self.allocatable: Amounts = {}
        self.requested: Counter[str] = Counter()
        self.owners: Counter[str] = Counter()
        self.pods = 0
        self.places = 0  # Pods that it has room for
        self.takes_all = False  # neither unschedulable nor tainted

    def set_node(self, node: Object) -> None:
        """Take in the node as it is now."""
        self.node = node
        self.allocatable = amounts((node.get("status") or {}).get("allocatable"))
        self.places = self.allocatable.get("pods", 0) // 1000
        self.takes_all = not node["spec"].get("unschedulable") and not taints.effective(node)

    def count(self, pod: Object, sign: int) -> None:
        """Add (1) or take away (-1) a Pod."""
        for name, amount in requests(pod).items():
            self.requested[name] += sign * amount
        owner = owner_of(pod)
        self.owners[owner] += sign
        self.pods += sign
        if not self.owners[owner]:
            del self.owners[owner]


def owner_of(pod: Object) -> str:
    """Return the uid of a Pod's controller, "" for a Pod on its own."""
    reference = controller_of(pod)
    return str(reference["uid"]) if reference else ""


class Ledger:
    """The NodeInfo of every node, kept up to date by changes of nodes and Pods."""

    def __init__(self) -> None:
        self._infos: dict[str, NodeInfo] = {}
        self._counted: dict[Key, tuple[str, Object]] = {}
        self._nodes: list[NodeInfo] | None = None

    def nodes(self) -> list[NodeInfo]:
        """Return the nodes there are; nobody changes the list."""
        if self._nodes is None:
            self._nodes = [info for info in self._infos.values() if info.node]
        return self._nodes

    def info(self, name: str) -> NodeInfo:
        """Return what is known of a node, which may be Pods alone."""
        found = self._infos.get(name)
        if found is None:
            found = self._infos[name] = NodeInfo()
        return found

    def node_changed(self, old: Object | None, new: Object | None) -> None:
        """Follow a node's change."""
        node = new or old or {}
        info = self.info(node["metadata"]["name"])
        self._nodes = None
        if new and "deletionTimestamp" not in new["metadata"]:
            info.set_node(new)
        else:
            info.node = {}

    def pod_changed(self, old: Object | None, new: Object | None) -> bool:
        """Follow a Pod's change; tell whether it freed something."""
        pod = new or old or {}
        key = key_of(pod)
        node = new["spec"].get("nodeName", "") if new and not _is_over(new) else ""
        before = self._counted.get(key)
        same_pod = before is not None and before[1]["metadata"]["uid"] == pod["metadata"]["uid"]
        if before and same_pod and before[0] == node and new and before[1]["spec"] == new["spec"]:
            return False
        if before:
            self.info(before[0]).count(before[1], -1)
            del self._counted[key]
        if node and new:
            self.info(node).count(new, 1)
            self._counted[key] = (node, new)
        return before is not None


def _is_over(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
