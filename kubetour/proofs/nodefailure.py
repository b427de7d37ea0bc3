"""Checks of a node that fails: how long until the cluster notices, and until its Pods run elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from kubetour.checks import Object, Observation, Proof
from kubetour.proofs.common import condition, fails, holds, ready_pods, refutes, terminating, verdict
from kubetour.proofs.workload import DeploymentReady

LOOKS = ("deployments", "pods", "nodes")


@dataclass(frozen=True)
class PodsMoved:
    """The node is no longer Ready, and all replicas are ready on others. The last command stopped it."""

    looks: ClassVar[tuple[str, ...]] = LOOKS
    name: str
    replicas: int
    node: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict, with the seconds from the node's stop to each thing that followed."""
        stopped = seen.results[-1].began - seen.results[0].began
        there = self._pods_there(seen, stopped)
        if not there:
            return refutes("node-was-empty", node=self.node)

        def first(resource: str, true: Callable[[Object], bool]) -> float | None:
            times = (
                change.at for change in seen.changes if change.resource == resource and true(change.object)
            )
            return next((at - stopped for at in times if at > stopped), None)

        noticed = first(
            "nodes", lambda it: it["metadata"]["name"] == self.node and not condition(it, "Ready")
        )
        if noticed is None:
            return fails("node-still-ready", node=self.node)
        evicted = first("pods", lambda it: it["metadata"]["name"] in there and terminating(it))
        ready = ready_pods(seen, {"app": self.name})
        new = {pod["metadata"]["name"] for pod in ready if pod["spec"].get("nodeName") != self.node}
        if evicted is None or not len(new) == len(ready) == self.replicas:
            return fails("pods-not-moved", node=self.node, ready=len(new), count=self.replicas)
        replaced = max(first("pods", partial(_is_ready, name)) or 0.0 for name in new)
        seconds = {"noticed": noticed, "evicted": evicted, "replaced": replaced}
        data = {
            "node": self.node,
            "pods": sorted(there),
            "after": {key: round(at, 1) for key, at in seconds.items()},
        }
        return holds("pods-moved", data, node=self.node, **{key: f"{at:.1f}" for key, at in seconds.items()})

    def _pods_there(self, seen: Observation, stopped: float) -> set[str]:
        """Return the names of the Deployment's Pods that the node ran when it was stopped."""
        there: set[str] = set()
        for change in seen.changes:
            pod = change.object
            if (
                change.resource != "pods"
                or change.at > stopped
                or pod["metadata"].get("labels", {}).get("app") != self.name
            ):
                continue
            gone = change.event == "DELETED" or terminating(pod)
            on_it = pod["spec"].get("nodeName") == self.node and not gone
            (there.add if on_it else there.discard)(pod["metadata"]["name"])
        return there


def _is_ready(name: str, pod: Object) -> bool:
    return bool(pod["metadata"]["name"] == name and condition(pod, "Ready"))


@dataclass(frozen=True)
class NodeBack:
    """The node is Ready again, the Deployment as before, and no Pod waits on that node for its end."""

    looks: ClassVar[tuple[str, ...]] = LOOKS
    deployment: DeploymentReady
    node: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict."""
        node = seen.named("nodes", self.node)
        if node is None or not condition(node, "Ready"):
            return fails("node-not-back", node=self.node)
        after = self.deployment(seen)
        left = [
            pod["metadata"]["name"]
            for pod in seen.labelled("pods", {"app": self.deployment.name})
            if terminating(pod) and pod["spec"].get("nodeName") == self.node
        ]
        if not after.holds:
            return after
        return verdict(not left, "node-back", "node-pods-left", node=self.node, pods=", ".join(left) or "–")
