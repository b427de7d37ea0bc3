"""The deployment controller: a Deployment's ReplicaSets, their sizes and its status.

`DeploymentController(api: Informers, clock: Clock)`. The decisions are pure functions: deployment_revision
says which ReplicaSet, deployment_rolling how large, deployment_progress what the status is. Here is the I/O.
"""

from __future__ import annotations

from collections.abc import Sequence

from kubetour.embedded import deployment_progress as progress
from kubetour.embedded import deployment_revision as revisions
from kubetour.embedded import deployment_rolling as rolling
from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.clock import Clock
from kubetour.embedded.controller import Controller, Informers, Key, controller_of, key_of
from kubetour.embedded.controller_ref import claim, owner_reference
from kubetour.embedded.deployment_util import (
    REVISION,
    active,
    is_rolling,
    named,
    progress_deadline,
    replicas,
    revision,
    status_of,
    total_status,
)
from kubetour.embedded.events import EventRecorder
from kubetour.embedded.selectors import from_label_selector


class DeploymentController(Controller[Key]):
    """Keeps Deployments."""

    def __init__(self, api: Informers, clock: Clock) -> None:
        super().__init__(api, clock)
        self._events = EventRecorder(api, clock, "deployment-controller")
        self._deployments = self.follow("deployments", self._deployment_changed)
        self._sets = self.follow("replicasets", self._set_changed)
        self._pods = self.follow("pods", self._pod_changed)

    # --- events to keys

    def _deployment_changed(self, old: Object | None, new: Object | None) -> None:
        self.queue.add(key_of(new or old or {}))

    def _set_changed(self, old: Object | None, new: Object | None) -> None:
        for rs in filter(None, (old, new)):
            namespace = rs["metadata"]["namespace"]
            controller = controller_of(rs)
            if controller:
                if controller["kind"] == "Deployment":
                    self.queue.add(Key(namespace, controller["name"]))
                continue
            for deployment in self._deployments.by("namespace", namespace):
                if from_label_selector(deployment["spec"]["selector"]).matches(rs["metadata"].get("labels")):
                    self.queue.add(key_of(deployment))

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        """A Recreate rollout goes on when the last old Pod is gone; nothing else here looks at Pods."""
        controller = controller_of(old) if old and not new else None
        if not old or not controller or controller["kind"] != "ReplicaSet":
            return
        namespace = old["metadata"]["namespace"]
        rs = self._sets.get(namespace, controller["name"])
        owner = controller_of(rs) if rs else None
        deployment = self._deployments.get(namespace, owner["name"]) if owner else None
        if deployment and not is_rolling(deployment):
            self.queue.add(key_of(deployment))

    # --- one Deployment

    def sync(self, key: Key) -> None:
        """Bring one Deployment nearer to its wanted state."""
        deployment = self._deployments.get(*key)
        if deployment is None:
            return
        sets = self._claimed(deployment)
        if "deletionTimestamp" in deployment["metadata"]:
            new = revisions.find_new(deployment, sets)
            self._write_status(deployment, progress.calculate(deployment, sets, new, self.clock.now()))
            return
        pause = progress.pause_condition(deployment, self.clock.now())
        if pause:
            deployment = self._write_status(
                deployment, progress.with_condition(deployment.get("status") or {}, pause)
            )
        if deployment["spec"].get("paused") or rolling.is_scaling(deployment, sets):
            self._scale(deployment, sets)
        elif is_rolling(deployment):
            self._roll(deployment, sets)
        else:
            self._recreate(deployment, sets)

    def _claimed(self, deployment: Object) -> list[Object]:
        metadata = deployment["metadata"]
        candidates = self._sets.by("controller", metadata["uid"]) + self._sets.by(
            "controller", ("orphan", metadata["namespace"])
        )
        me = owner_reference(deployment, "Deployment", "apps/v1")
        selector = from_label_selector(deployment["spec"]["selector"])
        return claim(self.api, "deployments", me, selector, "replicasets", candidates)

    def _scale(self, deployment: Object, sets: Sequence[Object]) -> None:
        """Follow a changed spec.replicas, without beginning a rollout."""
        deployment, new, old = self._revise(deployment, sets, create=False)
        everything = [*([new] if new else []), *old]
        sizes = rolling.scaled_sizes(deployment, old, new)
        # One that keeps its size is told the new total all the same, or this would be a scaling for ever.
        for rs in active(everything):
            sizes.setdefault(rs["metadata"]["name"], replicas(rs))
        self._resize(deployment, everything, sizes)
        if deployment["spec"].get("paused"):
            self._clean_up(deployment, old)
        self._write_status(deployment, progress.calculate(deployment, everything, new, self.clock.now()))

    def _roll(self, deployment: Object, sets: Sequence[Object]) -> None:
        deployment, new, old = self._revise(deployment, sets, create=True)
        if new is None:
            return
        everything = [new, *old]
        size = rolling.new_size(deployment, everything, new)
        if not self._resize(deployment, [new], {new["metadata"]["name"]: size}):
            sizes = rolling.old_sizes(deployment, active(old), new)
            if not self._resize(deployment, old, sizes):
                self._clean_up_if_complete(deployment, old)
        self._report(deployment, everything, new)

    def _recreate(self, deployment: Object, sets: Sequence[Object]) -> None:
        deployment, new, old = self._revise(deployment, sets, create=False)
        shrunk = self._resize(deployment, old, {rs["metadata"]["name"]: 0 for rs in active(old)})
        if shrunk or self._old_pods_run(old):
            self._report(deployment, [*([new] if new else []), *old], new)
            return
        if new is None:
            deployment, new, old = self._revise(deployment, sets, create=True)
            if new is None:
                return
        self._resize(deployment, [new], {new["metadata"]["name"]: replicas(deployment)})
        self._clean_up_if_complete(deployment, old)
        self._report(deployment, [new, *old], new)

    def _old_pods_run(self, old: Sequence[Object]) -> bool:
        if total_status(old, "replicas"):
            return True
        pods = (pod for rs in old for pod in self._pods.by("controller", rs["metadata"]["uid"]))
        return any((pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed") for pod in pods)

    # --- the new ReplicaSet and the revisions

    def _revise(
        self, deployment: Object, sets: Sequence[Object], *, create: bool
    ) -> tuple[Object, Object | None, list[Object]]:
        """Return the Deployment as it is then, its new ReplicaSet (made if wanted) and the old ones."""
        new = revisions.find_new(deployment, sets)
        old = revisions.find_old(sets, new)
        number = revisions.next_revision(old)
        if new is not None:
            new = self._renew(deployment, new, number)
            deployment = self._adopt_revision(deployment, new, progress.NEW_FOUND, "Found new replica set")
        elif create:
            deployment, new = self._create(deployment, old, number)
        return deployment, new, old

    def _renew(self, deployment: Object, rs: Object, number: int) -> Object:
        annotations = revisions.renewed_annotations(deployment, rs, number)
        seconds = deployment["spec"].get("minReadySeconds", 0)
        same = annotations == (rs["metadata"].get("annotations") or {})
        if same and seconds == rs["spec"].get("minReadySeconds", 0):
            return rs
        changed = {**rs, "metadata": {**rs["metadata"], "annotations": annotations}}
        changed["spec"] = {**rs["spec"], "minReadySeconds": seconds}
        return self.api.update("replicasets", changed)

    def _create(self, deployment: Object, old: Sequence[Object], number: int) -> tuple[Object, Object | None]:
        wanted = revisions.build_new(deployment, number)
        size = rolling.new_size(deployment, [*old, wanted], wanted)
        wanted["spec"]["replicas"] = size
        name = wanted["metadata"]["name"]
        try:
            new = self.api.create("replicasets", wanted)
        except StatusError as error:
            if error.reason == "AlreadyExists":
                self._count_collision(deployment, name)
            self._report_failure(deployment, error)
            raise
        if size:
            # Before the Deployment is written, which may fail where it was changed meanwhile.
            message = f"Scaled up replica set {name} from 0 to {size}"
            self._events.normal("deployments", deployment, "ScalingReplicaSet", message)
        return self._adopt_revision(deployment, new, progress.NEW_CREATED, "Created new replica set"), new

    def _count_collision(self, deployment: Object, name: str) -> None:
        """The name belongs to something else: count it, which makes the next try's hash another one."""
        taken = self.api.get("replicasets", name, deployment["metadata"]["namespace"])
        controller = controller_of(taken)
        mine = controller is not None and controller["uid"] == deployment["metadata"]["uid"]
        if mine and revisions.same_template(taken["spec"]["template"], deployment["spec"]["template"]):
            return
        status = dict(deployment.get("status") or {})
        status["collisionCount"] = status_of(deployment, "collisionCount") + 1
        self._write_status(deployment, status)
        raise StatusError(409, "Conflict", f'the name of replica set "{name}" is taken; trying another')

    def _report_failure(self, deployment: Object, error: StatusError) -> None:
        if progress_deadline(deployment) is None or error.reason == "AlreadyExists":
            return
        message = f"Failed to create new replica set: {error.message}"
        failed = progress.condition("Progressing", "False", progress.CREATE_FAILED, message, self.clock.now())
        self._write_status(deployment, progress.with_condition(deployment.get("status") or {}, failed))

    def _adopt_revision(self, deployment: Object, new: Object, reason: str, what: str) -> Object:
        """Give the Deployment its new ReplicaSet's revision, and say where the rollout stands."""
        status = deployment.get("status") or {}
        first = reason == progress.NEW_CREATED or progress.find_condition(status, "Progressing") is None
        if first and progress_deadline(deployment) is not None:
            message = f'{what} "{new["metadata"]["name"]}"'
            made = progress.condition("Progressing", "True", reason, message, self.clock.now())
            status = progress.with_condition(status, made)
        if revision(deployment) != revision(new):
            annotations = {**(deployment["metadata"].get("annotations") or {}), REVISION: str(revision(new))}
            deployment = {
                **deployment,
                "metadata": {**deployment["metadata"], "annotations": annotations},
                "status": status,
            }
            return self.api.update("deployments", deployment, subresource="status")
        return self._write_status(deployment, status)

    # --- writing

    def _resize(self, deployment: Object, sets: Sequence[Object], sizes: rolling.Sizes) -> bool:
        """Set sizes, and the annotations that go with them; tell whether any size changed."""
        changed = False
        for name, size in sizes.items():
            rs = named(sets, name)
            if rs is not None:
                changed |= self._resize_one(deployment, rs, size)
        return changed

    def _resize_one(self, deployment: Object, rs: Object, size: int) -> bool:
        before = replicas(rs)
        annotations = {
            **(rs["metadata"].get("annotations") or {}),
            **revisions.replica_annotations(deployment),
        }
        if size == before and (
            annotations == rs["metadata"].get("annotations") or not rolling.is_scaling(deployment, [rs])
        ):
            return False
        self.api.update(
            "replicasets",
            {
                **rs,
                "metadata": {**rs["metadata"], "annotations": annotations},
                "spec": {**rs["spec"], "replicas": size},
            },
        )
        if size == before:
            return False
        way = "up" if size > before else "down"
        message = f"Scaled {way} replica set {rs['metadata']['name']} from {before} to {size}"
        self._events.normal("deployments", deployment, "ScalingReplicaSet", message)
        return True

    def _clean_up_if_complete(self, deployment: Object, old: Sequence[Object]) -> None:
        if progress.is_complete(deployment, deployment.get("status") or {}):
            self._clean_up(deployment, old)

    def _clean_up(self, deployment: Object, old: Sequence[Object]) -> None:
        for rs in revisions.expendable(deployment, old):
            metadata = rs["metadata"]
            self.api.delete("replicasets", metadata["name"], metadata["namespace"], uid=metadata["uid"])

    def _report(self, deployment: Object, sets: Sequence[Object], new: Object | None) -> None:
        now = self.clock.now()
        status = progress.rollout_status(deployment, sets, new, now)
        deployment = self._write_status(deployment, status)
        seconds = progress.seconds_to_deadline(deployment, status, now)
        if seconds is not None:
            self.queue.add_after(key_of(deployment), seconds)

    def _write_status(self, deployment: Object, status: Object) -> Object:
        if status == (deployment.get("status") or {}):
            return deployment
        return self.api.update("deployments", {**deployment, "status": status}, subresource="status")
