"""Scaling, as the watches told it: from the declared number to the endpoint of the last Pod."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

from kubetour.checks import Change, Object, Observation, Proof
from kubetour.proofs.changes import before, first, milliseconds, name, since, uid
from kubetour.proofs.common import condition, holds, owner, refutes
from kubetour.proofs.workload import DeploymentEndpoints

STAGES = ("created", "scheduled", "pulled", "started", "ready", "endpoint")
# Each of these is the next one's cause. Events may come late: they are sent when the kubelet has time.
CAUSES = ("created", "scheduled", "ready", "endpoint")
# Two watches are two connections: what they tell may cross on the way. More than that is another order.
CROSSING = 1.0  # seconds


@dataclass(frozen=True)
class Scaled:
    """The Deployment and its Service are as declared, and each new Pod came to that in the known order."""

    looks: ClassVar[tuple[str, ...]] = (*DeploymentEndpoints.looks, "events")
    end: DeploymentEndpoints

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict with the timeline; refuted by a Pod whose endpoint was ready before the Pod."""
        proof = self.end(seen)
        if not proof.holds:
            return proof
        times = timeline(seen, self.end.deployment.name, self.end.endpoints.service)
        data = {**proof.data, "timeline": times}
        for pod in times["pods"]:
            if wrong := out_of_order(pod):
                return refutes("out-of-order", data, name=pod["name"], first=wrong[0], then=wrong[1])
        complete = [pod["endpoint"] for pod in times["pods"] if pod["endpoint"] is not None]
        if not complete:
            return holds("scaled", data, **proof.text.values)
        last = milliseconds(max(complete))
        return holds("scaled-in", data, new=len(times["pods"]), time=last, **proof.text.values)


def timeline(seen: Observation, deployment: str, service: str) -> dict[str, Any]:
    """Return when what was seen, in seconds since the first command began; None for what was not.

    The times are those at which the watches told it: events and conditions know whole seconds only.
    """
    owned = _owned(seen, deployment)
    changes = {kind: since(seen, kind) for kind in ("deployments", "replicasets", "pods")}
    made = {
        uid(change.object): change
        for change in changes["pods"]
        if change.event == "ADDED" and owner(change.object) in owned
    }
    rows = [_row(seen, change, service) for change in made.values()]
    return {
        "deployment": _declared(
            [c for c in changes["deployments"] if name(c.object) == deployment], before(seen, "deployments")
        ),
        "replicaset": _declared(
            [c for c in changes["replicasets"] if uid(c.object) in owned], before(seen, "replicasets")
        ),
        "pods": sorted(rows, key=lambda row: (row["created"], row["name"])),
    }


def out_of_order(pod: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return two stages of a Pod of which the later came first, or None. What was not seen says nothing."""
    told = [(stage, pod[stage]) for stage in CAUSES if pod[stage] is not None]
    for (stage, at), (then, later) in pairwise(told):
        if later < at - CROSSING:
            return stage, then
    if pod["endpoint"] is not None and pod["ready"] is None:
        return "ready", "endpoint"  # it still is not
    return None


def _owned(seen: Observation, deployment: str) -> set[str]:
    """Return the uids of the Deployment's ReplicaSets, those that are gone included."""
    uids = {
        uid(c.object) for c in seen.changes if c.resource == "deployments" and name(c.object) == deployment
    }
    return {uid(c.object) for c in seen.changes if c.resource == "replicasets" and owner(c.object) in uids}


def _declared(changes: Iterable[Change], old: Mapping[str, Object]) -> float | None:
    """Return when another number of replicas was first seen in one of these objects."""

    def other(change: Change) -> bool:
        was = old.get(uid(change.object))
        return was is None or was["spec"].get("replicas") != change.object["spec"].get("replicas")

    return first(changes, other)


def _row(seen: Observation, made: Change, service: str) -> dict[str, Any]:
    key = uid(made.object)
    pod = [change for change in since(seen, "pods") if uid(change.object) == key]
    events = [c for c in since(seen, "events") if c.object["involvedObject"].get("uid") == key]
    slices = [
        c
        for c in since(seen, "endpointslices")
        if c.object["metadata"].get("labels", {}).get("kubernetes.io/service-name") == service
    ]
    node = next((str(c.object["spec"]["nodeName"]) for c in pod if c.object["spec"].get("nodeName")), "")

    def told(reason: str) -> float | None:
        return first(events, lambda change: change.object["reason"] == reason)

    def in_status(change: Change, part: str) -> bool:
        statuses = change.object.get("status", {}).get("containerStatuses") or ()
        # A container that was killed meanwhile has been started, too.
        states = [{**status.get("state", {}), **status.get("lastState", {})} for status in statuses]
        if part == "started":
            return bool(states) and all("running" in state or "terminated" in state for state in states)
        return bool(statuses) and all(status.get("imageID") for status in statuses)

    pulled, started = told("Pulled"), told("Started")
    return {
        "name": name(made.object),
        "node": node,
        "created": made.at,
        "scheduled": first(pod, lambda change: bool(change.object["spec"].get("nodeName"))),
        "pulled": first(pod, lambda c: in_status(c, "pulled")) if pulled is None else pulled,
        "started": first(pod, lambda c: in_status(c, "started")) if started is None else started,
        "ready": first(pod, lambda change: condition(change.object, "Ready")),
        "endpoint": first(slices, lambda change: _ready_endpoint(change.object, key)),
    }


def _ready_endpoint(item: Object, pod: str) -> bool:
    return any(
        (endpoint.get("targetRef") or {}).get("uid") == pod
        and endpoint.get("conditions", {}).get("ready") is not False
        for endpoint in item.get("endpoints") or ()
    )
