"""The scheduler: a node for every Pod that has none.

`Scheduler(api: Informers, clock: Clock, random: Random | None = None)`. What fits and what is best is decided
in scheduler_filters; here is the queue: a Pod that fits nowhere waits until a node or another Pod changes.
"""

from __future__ import annotations

import copy
from itertools import chain, islice
from random import Random, SystemRandom

from kubetour.embedded.api import Object
from kubetour.embedded.clock import Clock, rfc3339
from kubetour.embedded.controller import Controller, Informers, Key, key_of
from kubetour.embedded.events import EventRecorder
from kubetour.embedded.podutil import condition, is_terminal
from kubetour.embedded.scheduler_filters import (
    Rejection,
    Verdict,
    best,
    failure_message,
    is_undemanding,
    reject,
)
from kubetour.embedded.scheduler_resources import Ledger, requests

NAME = "default-scheduler"
# Of very many nodes that can take a Pod no more are compared; Kubernetes never goes below this number either
# (minFeasibleNodesToFind in schedule_one.go).
_ENOUGH_NODES = 100


class Scheduler(Controller[Key]):
    """Assigns Pods to nodes."""

    def __init__(self, api: Informers, clock: Clock, random: Random | None = None) -> None:
        super().__init__(api, clock)
        self._random = random or SystemRandom()
        self._events = EventRecorder(api, clock, NAME)
        self._ledger = Ledger()
        self._unschedulable: set[Key] = set()
        self._next_node = 0
        self.follow("nodes", self._node_changed)
        self._pods = self.follow("pods", self._pod_changed)

    # --- events to keys

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if self._ledger.pod_changed(old, new):
            self._retry()
        key = key_of(new or old or {})
        if new is None or not _is_ours(new):
            self._unschedulable.discard(key)
        elif old is None or key not in self._unschedulable or old["spec"] != new["spec"]:
            self.queue.add(key)

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        self._ledger.node_changed(old, new)
        if new and (old is None or _offer(old) != _offer(new)):
            self._retry()

    def _retry(self) -> None:
        waiting, self._unschedulable = self._unschedulable, set()
        for key in waiting:
            self.queue.add(key)

    # --- one Pod

    def sync(self, key: Key) -> None:
        """Bind one Pod, or say why it cannot be bound."""
        pod = self._pods.get(*key)
        if pod is None or not _is_ours(pod):
            return
        verdict = self._look(pod)
        if not verdict.feasible:
            self._unschedulable.add(key)
            self._fail(pod, verdict.rejections)
            return
        chosen = best(pod, verdict.feasible, self._random).node["metadata"]["name"]
        self.api.bind(key.namespace, key.name, chosen)
        message = f"Successfully assigned {key.namespace}/{key.name} to {chosen}"
        self._events.normal("pods", pod, "Scheduled", message, action="Binding")

    def _look(self, pod: Object) -> Verdict:
        """Try nodes, beginning where the last Pod's search ended, until enough can take the Pod."""
        nodes = self._ledger.nodes()
        wanted = requests(pod)
        easy = not wanted and is_undemanding(pod)  # as most Pods are
        verdict = Verdict()
        start = self._next_node % len(nodes) if nodes else 0
        for looked, info in enumerate(chain(islice(nodes, start, None), islice(nodes, start)), 1):
            takes = easy and info.takes_all and info.pods < info.places
            rejection = None if takes else reject(pod, wanted, info)
            if rejection is None:
                verdict.feasible.append(info)
                if len(verdict.feasible) >= _ENOUGH_NODES:
                    self._next_node = start + looked
                    break
            else:
                verdict.rejections.append(rejection)
        return verdict

    def _fail(self, pod: Object, rejections: list[Rejection]) -> None:
        message = failure_message(rejections)
        self._events.warning("pods", pod, "FailedScheduling", message, action="Scheduling")
        before = condition(pod, "PodScheduled")
        if before and before["status"] == "False" and before.get("message") == message:
            return
        now = rfc3339(self.clock.now())
        transition = before["lastTransitionTime"] if before and before["status"] == "False" else now
        scheduled = {
            "type": "PodScheduled",
            "observedGeneration": pod["metadata"].get("generation", 1),
            "status": "False",
            "lastProbeTime": None,
            "lastTransitionTime": transition,
            "reason": "Unschedulable",
            "message": message,
        }
        changed = copy.deepcopy(pod)
        conditions = [
            item for item in changed["status"].get("conditions") or () if item["type"] != "PodScheduled"
        ]
        changed["status"]["conditions"] = [*conditions, scheduled]
        self.api.update("pods", changed, subresource="status")


def _is_ours(pod: Object) -> bool:
    """Tell whether a Pod waits for this scheduler."""
    spec = pod["spec"]
    return (
        not spec.get("nodeName")
        and spec.get("schedulerName", NAME) == NAME
        and not spec.get("schedulingGates")
        and "deletionTimestamp" not in pod["metadata"]
        and not is_terminal(pod)
    )


def _offer(node: Object) -> tuple[object, ...]:
    """Return all of a node that decides whether a Pod fits: not the heartbeats."""
    ready = condition(node, "Ready")
    allocatable = (node.get("status") or {}).get("allocatable")
    return node["spec"], node["metadata"].get("labels"), allocatable, ready and ready["status"]
