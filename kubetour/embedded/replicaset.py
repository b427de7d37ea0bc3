"""The replicaset controller: as many Pods as a ReplicaSet wants, no more, no fewer.

`ReplicaSetController(api: Informers, clock: Clock)`. After pkg/controller/replicaset of Kubernetes.
"""

from __future__ import annotations

from collections.abc import Sequence

from kubetour.embedded import replicaset_status as statuses
from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.clock import Clock
from kubetour.embedded.controller import Controller, Informers, Key, controller_of, key_of
from kubetour.embedded.controller_ref import claim, owner_reference
from kubetour.embedded.events import EventRecorder
from kubetour.embedded.replicaset_ranking import first_to_go
from kubetour.embedded.selectors import from_label_selector

# How many Pods one sync makes or deletes; the next follows at once. Kubernetes takes 500, with threads: here
# a sync is the whole process' time, so it is that many only where the rest of the sync takes long as well.
_SMALLEST_BURST, _LARGEST_BURST = 50, 500
_LONGEST_BASE = 253 - 5


class ReplicaSetController(Controller[Key]):
    """Keeps ReplicaSets."""

    def __init__(self, api: Informers, clock: Clock) -> None:
        super().__init__(api, clock)
        self._events = EventRecorder(api, clock, "replicaset-controller")
        self._sets = self.follow("replicasets", self._set_changed)
        self._pods = self.follow("pods", self._pod_changed)

    # --- events to keys

    def _set_changed(self, old: Object | None, new: Object | None) -> None:
        self.queue.add(key_of(new or old or {}))

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        for pod in filter(None, (old, new)):
            namespace = pod["metadata"]["namespace"]
            controller = controller_of(pod)
            if controller:
                if controller["kind"] == "ReplicaSet":
                    self.queue.add(Key(namespace, controller["name"]))
                continue
            for rs in self._sets.by("namespace", namespace):
                if from_label_selector(rs["spec"]["selector"]).matches(pod["metadata"].get("labels")):
                    self.queue.add(key_of(rs))

    # --- one ReplicaSet

    def sync(self, key: Key) -> bool:
        """Create or delete Pods, and write the status as it was before that; tell whether some are left."""
        rs = self._sets.get(*key)
        if rs is None:
            return False
        active, terminating = statuses.split(self._claimed(rs))
        failure: StatusError | None = None
        left = 0
        if "deletionTimestamp" not in rs["metadata"]:
            try:
                left = self._manage(rs, active)
            except StatusError as error:
                failure = error
        missing = len(active) - rs["spec"].get("replicas", 1)
        status = statuses.calculate(rs, active, terminating, self.clock.now())
        status = statuses.with_failure(status, failure, missing, self.clock.now())
        if status != (rs.get("status") or {}):
            rs = self.api.update("replicasets", {**rs, "status": status}, subresource="status")
        if failure is not None:
            raise failure
        wait = statuses.seconds_to_available(rs, active, self.clock.now())
        if wait is not None:
            self.queue.add_after(key, wait)
        return left > 0

    def _claimed(self, rs: Object) -> list[Object]:
        metadata = rs["metadata"]
        orphans = (
            pod
            for pod in self._pods.by("controller", ("orphan", metadata["namespace"]))
            if statuses.is_active(pod)
        )
        candidates = [*self._pods.by("controller", metadata["uid"]), *orphans]
        me = owner_reference(rs, "ReplicaSet", "apps/v1")
        selector = from_label_selector(rs["spec"]["selector"])
        return claim(self.api, "replicasets", me, selector, "pods", candidates)

    def _manage(self, rs: Object, active: Sequence[Object]) -> int:
        """Create or delete as many Pods as one sync may; return how many are left to create or to delete."""
        wanted: int = rs["spec"].get("replicas", 1)
        burst = min(max(len(active) // 10, _SMALLEST_BURST), _LARGEST_BURST)
        for _ in range(min(wanted - len(active), burst)):
            self._create_pod(rs)
        if len(active) > wanted:
            for pod in self._surplus(rs, active, len(active) - wanted)[:burst]:
                self._delete_pod(rs, pod)
        return max(abs(wanted - len(active)) - burst, 0)

    def _create_pod(self, rs: Object) -> None:
        try:
            pod = self.api.create("pods", pod_from_template(rs), rs["metadata"]["namespace"])
        except StatusError as error:
            if not _namespace_terminates(error):
                self._events.warning("replicasets", rs, "FailedCreate", f"Error creating: {error.message}")
                raise
            return
        message = f"Created pod: {pod['metadata']['name']}"
        self._events.normal("replicasets", rs, "SuccessfulCreate", message)

    def _surplus(self, rs: Object, active: Sequence[Object], count: int) -> list[Object]:
        owner = controller_of(rs)
        related = active
        if owner:
            # Siblings under the same Deployment count when a node's share of Pods is judged.
            siblings = self._sets.by("controller", owner["uid"])
            related = [
                pod
                for other in siblings
                for pod in self._pods.by("controller", other["metadata"]["uid"])
                if statuses.is_active(pod)
            ]
        return first_to_go(active, related, self.clock.now())[:count]

    def _delete_pod(self, rs: Object, pod: Object) -> None:
        metadata = pod["metadata"]
        try:
            self.api.delete("pods", metadata["name"], metadata["namespace"], uid=metadata["uid"])
        except StatusError as error:
            if error.code == 404:
                return
            self._events.warning("replicasets", rs, "FailedDelete", f"Error deleting: {error.message}")
            raise
        self._events.normal("replicasets", rs, "SuccessfulDelete", f"Deleted pod: {metadata['name']}")


def pod_from_template(rs: Object) -> Object:
    """Return a Pod as the template has it, named after and controlled by the ReplicaSet.

    It shares the template's parts, which nobody may change; the API stores a copy.
    """
    template = rs["spec"]["template"]
    metadata = template.get("metadata") or {}
    kept = {
        field: metadata[field] for field in ("labels", "annotations", "finalizers") if metadata.get(field)
    }
    return {
        "metadata": {
            **kept,
            "generateName": rs["metadata"]["name"][:_LONGEST_BASE] + "-",
            "namespace": rs["metadata"]["namespace"],
            "ownerReferences": [owner_reference(rs, "ReplicaSet", "apps/v1")],
        },
        "spec": template["spec"],
    }


def _namespace_terminates(error: StatusError) -> bool:
    causes = (error.details or {}).get("causes") or ()
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)
