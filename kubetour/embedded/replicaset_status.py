"""A ReplicaSet's status from its Pods. Pure functions; after replica_set_utils.go and controller_utils.go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.clock import rfc3339
from kubetour.embedded.podutil import is_ready, is_terminal, ready_since

_FAILURE = "ReplicaFailure"


def is_active(pod: Object) -> bool:
    """Tell whether a Pod counts: it runs or will, and nobody deletes it."""
    return not is_terminal(pod) and "deletionTimestamp" not in pod["metadata"]


def split(pods: Iterable[Object]) -> tuple[list[Object], list[Object]]:
    """Return the Pods that are active, and those that are being deleted and still run."""
    active: list[Object] = []
    terminating: list[Object] = []
    for pod in pods:
        if not is_terminal(pod):
            (terminating if "deletionTimestamp" in pod["metadata"] else active).append(pod)
    return active, terminating


def is_available(pod: Object, min_ready_seconds: int, now: datetime) -> bool:
    """Tell whether a Pod has been ready for minReadySeconds."""
    if not min_ready_seconds:
        return is_ready(pod)
    since = ready_since(pod)
    return since is not None and (now - since).total_seconds() >= min_ready_seconds


def calculate(rs: Object, active: Sequence[Object], terminating: Sequence[Object], now: datetime) -> Object:
    """Return the status with the Pods' numbers, the conditions as they were."""
    labels = (rs["spec"]["template"].get("metadata") or {}).get("labels") or {}
    min_ready = rs["spec"].get("minReadySeconds", 0)
    labeled = ready = available = 0
    for pod in active:  # one loop: of thousands of Pods, each time one of them changes
        if labels.items() <= (pod["metadata"].get("labels") or {}).items():
            labeled += 1
        if is_ready(pod):
            ready += 1
            if not min_ready or is_available(pod, min_ready, now):
                available += 1
    numbers = {"fullyLabeledReplicas": labeled, "readyReplicas": ready, "availableReplicas": available}
    status: Object = {
        "replicas": len(active),
        **{field: count for field, count in numbers.items() if count},
        "terminatingReplicas": len(terminating),
        "observedGeneration": rs["metadata"].get("generation", 0),
    }
    conditions = (rs.get("status") or {}).get("conditions")
    return {**status, "conditions": conditions} if conditions else status


def with_failure(status: Object, failure: StatusError | None, missing: int, now: datetime) -> Object:
    """Return the status with ReplicaFailure as it is now; `missing` below 0: Pods were to be made."""
    conditions = [item for item in status.get("conditions") or () if item["type"] != _FAILURE]
    present = len(conditions) != len(status.get("conditions") or ())
    if (failure is not None) == present:
        return status
    if failure is not None:
        conditions.append(
            {
                "type": _FAILURE,
                "status": "True",
                "lastTransitionTime": rfc3339(now),
                "reason": "FailedCreate" if missing < 0 else "FailedDelete",
                "message": failure.message,
            }
        )
    rest = {field: value for field, value in status.items() if field != "conditions"}
    return {**rest, "conditions": conditions} if conditions else rest


def seconds_to_available(rs: Object, active: Sequence[Object], now: datetime) -> float | None:
    """Return when the next ready Pod becomes available, None if no time has to pass for that."""
    min_ready = rs["spec"].get("minReadySeconds", 0)
    waits = [
        min_ready - (now - since).total_seconds()
        for pod in active
        if min_ready and (since := ready_since(pod)) is not None
    ]
    return min((wait for wait in waits if wait > 0), default=None)
