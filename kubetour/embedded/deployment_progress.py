"""A Deployment's status: the numbers and the conditions Available, Progressing and ReplicaFailure.

After pkg/controller/deployment/progress.go and sync.go of Kubernetes; reasons and messages are its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kubetour.embedded.api import Object
from kubetour.embedded.clock import rfc3339
from kubetour.embedded.deployment_util import (
    max_unavailable,
    progress_deadline,
    replicas,
    status_of,
    total,
    total_status,
)
from kubetour.embedded.podutil import parse_time

NEW_CREATED, NEW_FOUND, NEW_AVAILABLE = (
    "NewReplicaSetCreated",
    "FoundNewReplicaSet",
    "NewReplicaSetAvailable",
)
UPDATED, TIMED_OUT, CREATE_FAILED = (
    "ReplicaSetUpdated",
    "ProgressDeadlineExceeded",
    "ReplicaSetCreateError",
)
PAUSED, RESUMED = "DeploymentPaused", "DeploymentResumed"


def condition(kind: str, status: str, reason: str, message: str, now: datetime) -> Object:
    """Return a condition that begins now."""
    return {
        "type": kind,
        "status": status,
        "lastUpdateTime": rfc3339(now),
        "lastTransitionTime": rfc3339(now),
        "reason": reason,
        "message": message,
    }


def find_condition(status: Object, kind: str) -> Object | None:
    """Return a status' condition of a type, or None."""
    return next((item for item in status.get("conditions") or () if item["type"] == kind), None)


def with_condition(status: Object, new: Object) -> Object:
    """Return the status with a condition set. One of the same status and reason stays as it was; one of the
    same status keeps its transition time."""
    current = find_condition(status, new["type"])
    if current and current["status"] == new["status"]:
        if current["reason"] == new["reason"]:
            return status
        new = {**new, "lastTransitionTime": current["lastTransitionTime"]}
    return {**status, "conditions": [*_others(status, new["type"]), new]}


def without_condition(status: Object, kind: str) -> Object:
    """Return the status without a condition."""
    if find_condition(status, kind) is None:
        return status
    return {**status, "conditions": _others(status, kind)}


def _others(status: Object, kind: str) -> list[Object]:
    return [item for item in status.get("conditions") or () if item["type"] != kind]


def calculate(deployment: Object, sets: Sequence[Object], new: Object | None, now: datetime) -> Object:
    """Return the status as the ReplicaSets have it, the condition Available included."""
    available = total_status(sets, "availableReplicas")
    old = deployment.get("status") or {}
    numbers = {
        "observedGeneration": deployment["metadata"].get("generation", 0),
        "replicas": total_status(sets, "replicas"),
        "updatedReplicas": status_of(new, "replicas") if new else 0,
        "readyReplicas": total_status(sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(total(sets) - available, 0),
    }
    status: Object = {field: value for field, value in numbers.items() if value}
    status["terminatingReplicas"] = total_status(sets, "terminatingReplicas")
    for field in ("collisionCount", "conditions"):
        if old.get(field):
            status[field] = old[field]
    if available >= replicas(deployment) - max_unavailable(deployment):
        verdict = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        verdict = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    return with_condition(status, condition("Available", *verdict, now))


def is_complete(deployment: Object, status: Object) -> bool:
    """Tell whether all Pods are new and available and no old one is left."""
    wanted = replicas(deployment)
    counts = (status.get(field, 0) for field in ("updatedReplicas", "replicas", "availableReplicas"))
    generation = deployment["metadata"].get("generation", 0)
    return all(count == wanted for count in counts) and status.get("observedGeneration", 0) >= generation


def _is_progressing(deployment: Object, status: Object) -> bool:
    """Tell whether a status is nearer to complete than the stored one."""
    old = deployment.get("status") or {}

    def outdated(of: Object) -> int:
        return int(of.get("replicas", 0)) - int(of.get("updatedReplicas", 0))

    grew = any(
        status.get(field, 0) > old.get(field, 0)
        for field in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )
    return grew or outdated(status) < outdated(old)


def _has_timed_out(deployment: Object, status: Object, now: datetime) -> bool:
    deadline, current = progress_deadline(deployment), find_condition(status, "Progressing")
    if deadline is None or current is None or current["reason"] == NEW_AVAILABLE:
        return False
    if current["reason"] == TIMED_OUT:
        return True
    return (now - parse_time(current["lastUpdateTime"])).total_seconds() > deadline


def rollout_status(deployment: Object, sets: Sequence[Object], new: Object | None, now: datetime) -> Object:
    """Return the status during a rollout: `calculate`, with Progressing and ReplicaFailure."""
    status = calculate(deployment, sets, new, now)
    current = find_condition(deployment.get("status") or {}, "Progressing")
    if progress_deadline(deployment) is None:
        status = without_condition(status, "Progressing")
    elif not (
        current
        and current["reason"] == NEW_AVAILABLE
        and status.get("replicas", 0) == status.get("updatedReplicas", 0)
    ):
        status = _with_progress(deployment, status, new, now)
    failure = next(
        (found for rs in sets if (found := find_condition(rs.get("status") or {}, "ReplicaFailure"))), None
    )
    if failure is None:
        return without_condition(status, "ReplicaFailure")
    verdict = (failure["status"], failure["reason"], failure["message"])
    return with_condition(status, condition("ReplicaFailure", *verdict, now))


def _with_progress(deployment: Object, status: Object, new: Object | None, now: datetime) -> Object:
    who = (
        f'ReplicaSet "{new["metadata"]["name"]}"' if new else f'Deployment "{deployment["metadata"]["name"]}"'
    )
    if is_complete(deployment, status):
        message = f"{who} has successfully progressed."
        return with_condition(status, condition("Progressing", "True", NEW_AVAILABLE, message, now))
    if _is_progressing(deployment, status):
        made = condition("Progressing", "True", UPDATED, f"{who} is progressing.", now)
        current = find_condition(status, "Progressing")
        if current and current["status"] == "True":
            made["lastTransitionTime"] = current["lastTransitionTime"]
        # Set anew even where nothing but the time differs: the deadline counts from the last progress.
        return with_condition(without_condition(status, "Progressing"), made)
    if _has_timed_out(deployment, status, now):
        message = f"{who} has timed out progressing."
        return with_condition(status, condition("Progressing", "False", TIMED_OUT, message, now))
    return status


def seconds_to_deadline(deployment: Object, status: Object, now: datetime) -> float | None:
    """Return in how many seconds a rollout that stands still has to be looked at, None for never."""
    deadline, current = progress_deadline(deployment), find_condition(status, "Progressing")
    if deadline is None or current is None or is_complete(deployment, status):
        return None
    if current["reason"] in (TIMED_OUT, NEW_AVAILABLE):
        return None
    return max(deadline - (now - parse_time(current["lastUpdateTime"])).total_seconds(), 0.0) + 1


def pause_condition(deployment: Object, now: datetime) -> Object | None:
    """Return the condition by which a pause or its end is told, None where nothing changed."""
    current = find_condition(deployment.get("status") or {}, "Progressing")
    reason = current["reason"] if current else ""
    if progress_deadline(deployment) is None or reason == TIMED_OUT:
        return None
    paused = bool(deployment["spec"].get("paused"))
    if paused and reason != PAUSED:
        return condition("Progressing", "Unknown", PAUSED, "Deployment is paused", now)
    if not paused and reason == PAUSED:
        return condition("Progressing", "Unknown", RESUMED, "Deployment is resumed", now)
    return None
