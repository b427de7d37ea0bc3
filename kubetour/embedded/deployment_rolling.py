"""The arithmetic of a rollout: how large each ReplicaSet may be next. Pure functions, sizes by name.

After pkg/controller/deployment/{rolling,sync}.go and util/deployment_util.go of Kubernetes.
"""

from __future__ import annotations

from collections.abc import Sequence

from kubetour.embedded.api import Object
from kubetour.embedded.deployment_util import (
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    active,
    annotation,
    is_rolling,
    max_surge,
    max_unavailable,
    number,
    oldest_first,
    replicas,
    status_of,
    total,
)

Sizes = dict[str, int]


def new_size(deployment: Object, everything: Sequence[Object], new: Object) -> int:
    """Return the size the new ReplicaSet may have now: as much as fits under replicas + maxSurge."""
    wanted = replicas(deployment)
    if not is_rolling(deployment) or replicas(new) > wanted:
        return wanted
    room = wanted + max_surge(deployment) - total(everything)
    if room <= 0:
        return replicas(new)
    return replicas(new) + min(room, wanted - replicas(new))


def old_sizes(deployment: Object, old: Sequence[Object], new: Object) -> Sizes:
    """Return the old ReplicaSets that shrink now: first by Pods that serve nobody anyway, then by as many as
    can go with replicas - maxUnavailable still available."""
    everything = [*old, new]
    minimum = replicas(deployment) - max_unavailable(deployment)
    unavailable_new = replicas(new) - status_of(new, "availableReplicas")
    spare = total(everything) - minimum - unavailable_new
    if not total(old) or spare <= 0:
        return {}
    sizes = {rs["metadata"]["name"]: replicas(rs) for rs in old}
    _shrink_unhealthy(sizes, old, spare)
    _shrink_available(sizes, old, sum(map(_lasting, everything)) - minimum)
    return {name: size for name, size in sizes.items() if size != replicas(_by_name(old, name))}


def _lasting(rs: Object) -> int:
    """Return how many available Pods stay, also while the ReplicaSet has yet to delete those beyond its size.

    Kubernetes counts those, too, and so goes below the minimum where a new Pod is available sooner than an
    old one is deleted.
    """
    return min(status_of(rs, "availableReplicas"), replicas(rs))


def _shrink_unhealthy(sizes: Sizes, old: Sequence[Object], spare: int) -> None:
    for rs in oldest_first(old):
        name, available = rs["metadata"]["name"], status_of(rs, "availableReplicas")
        count = min(spare, max(sizes[name] - available, 0))
        sizes[name] -= count
        spare -= count


def _shrink_available(sizes: Sizes, old: Sequence[Object], spare: int) -> None:
    for rs in oldest_first(old):
        name = rs["metadata"]["name"]
        count = min(max(spare, 0), sizes[name])
        sizes[name] -= count
        spare -= count


def _by_name(sets: Sequence[Object], name: str) -> Object:
    return next(rs for rs in sets if rs["metadata"]["name"] == name)


def is_scaling(deployment: Object, sets: Sequence[Object]) -> bool:
    """Tell whether spec.replicas changed since the ReplicaSets were last sized."""
    desired = (number(annotation(rs, DESIRED_REPLICAS)) for rs in active(sets))
    return any(count is not None and count != replicas(deployment) for count in desired)


def scaled_sizes(deployment: Object, old: Sequence[Object], new: Object | None) -> Sizes:
    """Return the sizes after a change of spec.replicas: all for the only one with Pods (or the latest), none
    for old ones once the new is complete, else in proportion, so that a rollout under way keeps its shape."""
    everything = [*old, *([new] if new else [])]
    with_pods = active(everything)
    if len(with_pods) <= 1:
        only = with_pods[0] if with_pods else new or (oldest_first(old)[-1] if old else None)
        return {only["metadata"]["name"]: replicas(deployment)} if only else {}
    if new is not None and _saturated(deployment, new):
        return {rs["metadata"]["name"]: 0 for rs in active(old)}
    if not is_rolling(deployment):
        return {}
    return _proportional(deployment, with_pods)


def _saturated(deployment: Object, new: Object) -> bool:
    wanted = replicas(deployment)
    return (
        replicas(new) == wanted
        and number(annotation(new, DESIRED_REPLICAS)) == wanted
        and status_of(new, "availableReplicas") == wanted
    )


def _proportional(deployment: Object, sets: Sequence[Object]) -> Sizes:
    wanted = replicas(deployment)
    to_add = (wanted + max_surge(deployment) if wanted else 0) - total(sets)
    # Larger first; of equals the newer grows first, and the older shrinks first.
    by_age = oldest_first(sets)
    ordered = sorted(by_age if to_add < 0 else reversed(by_age), key=replicas, reverse=True)
    sizes: Sizes = {}
    added = 0
    for rs in ordered:
        change = _share(rs, deployment, to_add, added)
        sizes[rs["metadata"]["name"]] = replicas(rs) + change
        added += change
    largest = ordered[0]["metadata"]["name"]
    sizes[largest] = max(sizes[largest] + to_add - added, 0)
    return sizes


def _share(rs: Object, deployment: Object, to_add: int, added: int) -> int:
    left = to_add - added
    if not left:
        return 0
    if not replicas(deployment):
        return max(-replicas(rs), left)
    # The proportion that counts is the one from before the scaling.
    before = number(annotation(rs, MAX_REPLICAS)) or status_of(deployment, "replicas") or replicas(rs)
    grown = replicas(rs) * (replicas(deployment) + max_surge(deployment)) / before
    change = int(grown + 0.5) - replicas(rs)
    return min(change, left) if to_add > 0 else max(change, left)
