"""The node lifecycle controller: silent nodes are Unknown, nodes not ready are tainted, and their Pods leave.

`NodeLifecycleController(api: Informers, clock: Clock, grace)`; `grace` are the seconds that a node may be
silent. After pkg/controller/nodelifecycle, tainteviction and podgc of Kubernetes, with its default times.
"""

from __future__ import annotations

import copy

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.clock import Clock, rfc3339
from kubetour.embedded.clusterconfig import NODE_MONITOR_GRACE
from kubetour.embedded.controller import Controller, Informers
from kubetour.embedded.events import EventRecorder
from kubetour.embedded.nodelifecycle_taints import seconds_until_eviction, wanted_taints
from kubetour.embedded.podutil import condition, is_ready, is_terminal

LEASES = "kube-node-lease"
_QUARANTINE = 40.0  # seconds: podgc's quarantine time
_REPORTED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


class NodeLifecycleController(Controller[str]):
    """Watches over nodes by their leases."""

    def __init__(self, api: Informers, clock: Clock, grace: float = NODE_MONITOR_GRACE) -> None:
        super().__init__(api, clock)
        self._grace = grace
        self._events = EventRecorder(api, clock, "node-controller")
        self._evictions = EventRecorder(api, clock, "taint-eviction-controller")
        self._heard: dict[str, float] = {}
        self._gone: dict[str, float] = {}
        self._nodes = self.follow("nodes", self._node_changed)
        self._pods = self.follow("pods")
        self._pods.add_index("node", lambda pod: (pod["spec"].get("nodeName", ""),))
        self._pods.add_handler(self._pod_changed)
        self.follow("leases", self._lease_changed)

    # --- events to keys

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        node = new or old or {}
        name = node["metadata"]["name"]
        if old is None and new is not None:
            message = f"Node {name} event: Registered Node {name} in Controller"
            self._heard[name] = self.clock.monotonic()
            self._gone.pop(name, None)
            self._events.normal("nodes", new, "RegisteredNode", message)
        elif new is None:
            self._heard.pop(name, None)
            message = f"Node {name} event: Removing Node {name} from Controller"
            self._events.normal("nodes", node, "RemovingNode", message)
        self.queue.add(name)

    def _lease_changed(self, old: Object | None, new: Object | None) -> None:
        """The time that counts is this machine's own at which a renewal was seen, not what the lease says."""
        if new and new["metadata"]["namespace"] == LEASES:
            name = new["metadata"]["name"]
            if name in self._heard:
                self._heard[name] = self.clock.monotonic()

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        name = new["spec"].get("nodeName") if new else ""
        if not name or (old and old["spec"].get("nodeName")):
            return
        node = self._nodes.get("", name)
        if node is None or node["spec"].get("taints") or not is_ready(node):  # else the Pod may just stay
            self.queue.add(name)

    # --- one node

    def sync(self, key: str) -> None:
        """Bring a node's conditions and taints, and the Pods on it, to what its silence or speech means."""
        node = self._nodes.get("", key)
        if node is None:
            self._collect(key)
            return
        silent = self.clock.monotonic() - self._heard.get(key, self.clock.monotonic())
        if silent >= self._grace:
            node = self._mark_unknown(node)
        else:
            self.queue.add_after(key, self._grace - silent)
        taints = wanted_taints(node, rfc3339(self.clock.now()))
        if taints != (node["spec"].get("taints") or []):
            node = self.api.update("nodes", {**node, "spec": {**node["spec"], "taints": taints}})
        if not is_ready(node):
            self._mark_pods(node)
        self._evict(node)

    def _mark_unknown(self, node: Object) -> Object:
        changed = copy.deepcopy(node)
        conditions = changed.setdefault("status", {}).setdefault("conditions", [])
        now = rfc3339(self.clock.now())
        for kind in _REPORTED:
            found = condition(changed, kind)
            if found is None:
                found = {"type": kind, "reason": "NodeStatusNeverUpdated"}
                found["message"] = "Kubelet never posted node status."
                conditions.append(found)
            elif found["status"] != "Unknown":
                found["reason"] = "NodeStatusUnknown"
                found["message"] = "Kubelet stopped posting node status."
            if found.get("status") != "Unknown":
                found |= {"status": "Unknown", "lastTransitionTime": now}
        if changed == node:
            return node
        name = node["metadata"]["name"]
        if is_ready(node):
            self._events.normal("nodes", node, "NodeNotReady", f"Node {name} status is now: NodeNotReady")
        return self.api.update("nodes", changed, subresource="status")

    def _mark_pods(self, node: Object) -> None:
        """Nobody vouches for these Pods any more, so they are not ready."""
        for pod in self._pods.by("node", node["metadata"]["name"]):
            if not is_ready(pod) or is_terminal(pod):
                continue
            changed = copy.deepcopy(pod)
            ready = condition(changed, "Ready") or {}
            ready |= {"status": "False", "lastTransitionTime": rfc3339(self.clock.now())}
            self.api.update("pods", changed, subresource="status")
            self._events.warning("pods", pod, "NodeNotReady", "Node is not ready")

    def _evict(self, node: Object) -> None:
        for pod in self._pods.by("node", node["metadata"]["name"]):
            if "deletionTimestamp" in pod["metadata"] or is_terminal(pod):
                continue
            wait = seconds_until_eviction(pod, node, self.clock.now())
            if wait is not None and wait > 0:
                self.queue.add_after(node["metadata"]["name"], wait)
            elif wait is not None:
                name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
                self._evictions.normal(
                    "pods", pod, "TaintManagerEviction", f"Marking for deletion Pod {name}"
                )
                self._delete(pod)

    def _collect(self, name: str) -> None:
        """Remove the Pods of a node that is gone: no kubelet will."""
        pods = self._pods.by("node", name)
        if not pods:
            self._gone.pop(name, None)
            return
        since = self._gone.setdefault(name, self.clock.monotonic())
        wait = _QUARANTINE - (self.clock.monotonic() - since)
        if wait > 0:
            self.queue.add_after(name, wait)
            return
        for pod in pods:
            self._delete(pod, grace_period_seconds=0)

    def _delete(self, pod: Object, grace_period_seconds: int | None = None) -> None:
        metadata = pod["metadata"]
        try:
            self.api.delete(
                "pods",
                metadata["name"],
                metadata["namespace"],
                uid=metadata["uid"],
                grace_period_seconds=grace_period_seconds,
            )
        except StatusError as error:
            if error.code != 404:
                raise
