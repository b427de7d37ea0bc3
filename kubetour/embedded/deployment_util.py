"""Small readings of Deployments and ReplicaSets that every part of a rollout needs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from kubetour.embedded.api import Object

REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"
HASH_LABEL = "pod-template-hash"
# Kubernetes' way to say "no limit" in revisionHistoryLimit and progressDeadlineSeconds.
NO_LIMIT = 2**31 - 1


def replicas(obj: Object) -> int:
    """Return spec.replicas."""
    return int(obj["spec"].get("replicas", 1))


def status_of(obj: Object, field: str) -> int:
    """Return a number of the status, 0 where it is not there."""
    return int((obj.get("status") or {}).get(field) or 0)


def total(sets: Iterable[Object]) -> int:
    """Return how many Pods the ReplicaSets are meant to have."""
    return sum(replicas(rs) for rs in sets)


def total_status(sets: Iterable[Object], field: str) -> int:
    """Return the sum of a number of the status."""
    return sum(status_of(rs, field) for rs in sets)


def active(sets: Iterable[Object]) -> list[Object]:
    """Return the ReplicaSets that are meant to have Pods."""
    return [rs for rs in sets if replicas(rs) > 0]


def oldest_first(sets: Iterable[Object]) -> list[Object]:
    """Return ReplicaSets by creation time, then name."""
    return sorted(sets, key=lambda rs: (rs["metadata"]["creationTimestamp"], rs["metadata"]["name"]))


def annotation(obj: Object, name: str) -> str:
    """Return an annotation, "" where it is not there."""
    return str((obj["metadata"].get("annotations") or {}).get(name, ""))


def revision(obj: Object) -> int:
    """Return the rollout revision in an object's annotation, 0 where there is none."""
    return number(annotation(obj, REVISION)) or 0


def number(text: str) -> int | None:
    """Return the number a text is, or None."""
    return int(text) if text.lstrip("-").isdigit() else None


def is_rolling(deployment: Object) -> bool:
    """Tell whether the strategy is RollingUpdate."""
    return bool((deployment["spec"].get("strategy") or {}).get("type", "RollingUpdate") == "RollingUpdate")


def resolve(value: Any, of: int, *, up: bool) -> int:
    """Return an IntOrString: a number as it is, a percentage of `of` rounded up or down."""
    if isinstance(value, str):
        share = int(value.rstrip("%")) * of / 100
        return math.ceil(share) if up else math.floor(share)
    return int(value)


def fenceposts(deployment: Object) -> tuple[int, int]:
    """Return (maxSurge, maxUnavailable) in Pods; both 0 would never move, so then one may be unavailable."""
    settings = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    count = replicas(deployment)
    surge = resolve(settings.get("maxSurge", "25%"), count, up=True)
    unavailable = resolve(settings.get("maxUnavailable", "25%"), count, up=False)
    return (surge, unavailable) if surge or unavailable else (0, 1)


def max_surge(deployment: Object) -> int:
    """Return how many Pods a rollout may have above spec.replicas."""
    return fenceposts(deployment)[0] if is_rolling(deployment) else 0


def max_unavailable(deployment: Object) -> int:
    """Return how many Pods a rollout may lack."""
    if not is_rolling(deployment) or not replicas(deployment):
        return 0
    return min(fenceposts(deployment)[1], replicas(deployment))


def progress_deadline(deployment: Object) -> int | None:
    """Return spec.progressDeadlineSeconds, None where there is no deadline."""
    seconds = deployment["spec"].get("progressDeadlineSeconds")
    return None if seconds in (None, NO_LIMIT) else int(seconds)


def named(sets: Sequence[Object], name: str) -> Object | None:
    """Return the ReplicaSet of that name, or None."""
    return next((rs for rs in sets if rs["metadata"]["name"] == name), None)
