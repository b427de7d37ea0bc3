"""The disruption controller: keeps the status of every PodDisruptionBudget, by which evictions are allowed.

`DisruptionController(api: Informers, clock: Clock)`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kubetour.embedded.api import Object
from kubetour.embedded.clock import Clock
from kubetour.embedded.controller import Controller, Informers, Key, controller_of, key_of
from kubetour.embedded.deployment_util import replicas
from kubetour.embedded.disruption_status import DELETION_TIMEOUT, selects, status
from kubetour.embedded.events import EventRecorder

_SCALED = {"Deployment": "deployments", "ReplicaSet": "replicasets", "StatefulSet": "statefulsets"}


class DisruptionController(Controller[Key]):
    """Counts the Pods of each budget."""

    def __init__(self, api: Informers, clock: Clock) -> None:
        super().__init__(api, clock)
        self._events = EventRecorder(api, clock, "controllermanager")
        self._budgets = self.follow("poddisruptionbudgets", self._budget_changed)
        self._pods = self.follow("pods", self._pod_changed)
        self._workloads = {
            kind: self.follow(plural, self._workload_changed) for kind, plural in _SCALED.items()
        }

    # --- events to keys

    def _budget_changed(self, old: Object | None, new: Object | None) -> None:
        if new:
            self.queue.add(key_of(new))

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        for pod in (old, new):
            for budget in self._of_namespace(pod):
                if pod is not None and selects(budget, pod):
                    self.queue.add(key_of(budget))

    def _workload_changed(self, old: Object | None, new: Object | None) -> None:
        if old is None or new is None or replicas(old) != replicas(new):
            for budget in self._of_namespace(new or old):
                self.queue.add(key_of(budget))

    def _of_namespace(self, obj: Object | None) -> Sequence[Object]:
        return self._budgets.by("namespace", obj["metadata"].get("namespace", "")) if obj else ()

    # --- one budget

    def sync(self, key: Key) -> None:
        """Bring one budget's status up to date."""
        budget = self._budgets.get(*key)
        if budget is None or "deletionTimestamp" in budget["metadata"]:
            return
        pods = [pod for pod in self._pods.by("namespace", key.namespace) if selects(budget, pod)]
        if not pods:
            self._events.normal("poddisruptionbudgets", budget, "NoPods", "No matching pods found")
        scale, unmanaged = self._scale(pods)
        spec = budget.get("spec") or {}
        by_scale = "maxUnavailable" in spec or isinstance(spec.get("minAvailable"), str)
        if unmanaged and by_scale:
            self._events.warning("poddisruptionbudgets", budget, "UnmanagedPods", _unmanaged(budget))
        found = status(budget, pods, scale, self.clock.now())
        if found != budget.get("status"):
            self.api.update("poddisruptionbudgets", {**budget, "status": found}, subresource="status")
        if found.get("disruptedPods"):
            self.queue.add_after(key, DELETION_TIMEOUT + 1)

    def _scale(self, pods: Sequence[Object]) -> tuple[int, int]:
        """Return how many Pods their controllers want in all, and how many Pods have no such controller."""
        found: dict[str, int] = {}
        unmanaged = 0
        for pod in pods:
            workload = self._workload(pod)
            if workload is None:
                unmanaged += 1
            else:
                found[workload["metadata"]["uid"]] = replicas(workload)
        return sum(found.values()), unmanaged

    def _workload(self, obj: Object) -> Object | None:
        """Return the topmost scalable owner: of a Deployment's Pod the Deployment, not the ReplicaSet."""
        reference = controller_of(obj)
        informer = self._workloads.get(reference["kind"]) if reference else None
        if reference is None or informer is None:
            return None
        owner = informer.get(obj["metadata"].get("namespace", ""), reference["name"])
        if owner is None or owner["metadata"]["uid"] != reference["uid"]:
            return None
        return self._workload(owner) or owner


def _unmanaged(budget: Object) -> str:
    labels = ((budget.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    listed = "".join(f"{key}: {labels[key]}," for key in sorted(labels))
    selector = (
        f"&LabelSelector{{MatchLabels:map[string]string{{{listed}}},"
        "MatchExpressions:[]LabelSelectorRequirement{},}"
    )
    return (
        f"Pods selected by this PodDisruptionBudget (selector: {selector}) were found to be unmanaged. As a "
        "result, the status of the PDB cannot be calculated correctly, which may result in undefined "
        "behavior. "
        'To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.'
    )
