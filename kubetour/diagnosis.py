"""The known causes why Pods do not come up or a Service finds none, read from the cluster's objects; pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kubetour.checks import Object
from kubetour.project import OWNED_BY, OWNER
from kubetour.proofs.common import terminating
from kubetour.proofs.xray import xray
from kubetour.refusals import brief
from kubetour.text import Text

MOST, MOST_ALIKE = 8, 2  # causes that are told, and those of one kind: fifty Pods fail for one reason
# The likeliest first: what a container says of itself is certain, the last may also be still on its way.
RANK = (
    "cause.image-never",
    "cause.image",
    "cause.config",
    "cause.memory",
    "cause.address",
    "cause.denied",
    "cause.crash",
    "cause.quota",
    "cause.refused",
    "cause.unscheduled",
    "cause.space",
    "cause.node",
    "cause.probe",
    "cause.selector",
    "cause.target-port",
    "cause.no-endpoints",
)
# What an app writes before it ends, and the key of the cause that it gives away.
LOGGED = (
    (r"address already in use|EADDRINUSE|errno 98\b", "cause.address"),
    (r"no space left on device|ENOSPC", "cause.space"),
    (r"permission denied|operation not permitted|read-only file system|EACCES|EPERM|EROFS", "cause.denied"),
)
NO_PULL = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName")
NOT_MADE = ("CreateContainerConfigError", "CreateContainerError")
# What ResourceQuota and LimitRange say when they refuse a Pod.
# https://github.com/kubernetes/kubernetes/blob/v1.36.0/plugin/pkg/admission/limitranger/admission.go
_QUOTA = re.compile(r"exceeded quota|failed quota|(maximum|minimum) .* usage per (Container|Pod)")


def crashed(objects: Mapping[str, tuple[Object, ...]]) -> tuple[str, ...]:
    """Return the Pods whose container has ended by itself: their logs may tell why."""
    return tuple(
        str(pod["metadata"]["name"])
        for pod in objects.get("pods", ())
        if any(
            state.get("terminated")
            for container in pod.get("status", {}).get("containerStatuses") or ()
            for state in (container.get("state", {}), container.get("lastState", {}))
        )
    )


def diagnose(
    objects: Mapping[str, tuple[Object, ...]], logs: Mapping[str, str] | None = None
) -> tuple[Text, ...]:
    """Return what stands in the way of Pods, the likeliest cause first, and of Services to find them.

    `logs` are those of Pods that have crashed.
    """
    told = {name: cause for name, log in (logs or {}).items() if (cause := _logged(name, log))}
    found = list(told.values())
    pods = [pod for pod in objects.get("pods", ()) if not terminating(pod)]
    for pod in pods:
        name = pod["metadata"]["name"]
        found += (cause for cause in _of_pod(pod) if cause.key != "cause.crash" or name not in told)
    for replicaset in objects.get("replicasets", ()):
        found += _of_replicaset(replicaset)
    for node in objects.get("nodes", ()):
        found += _of_node(node)
    for service in objects.get("services", ()):
        found += _of_service(service, pods)
    return _bounded(sorted(found, key=lambda item: RANK.index(item.key)))


def _bounded(found: Iterable[Text]) -> tuple[Text, ...]:
    counted: Counter[str] = Counter()
    kept: list[Text] = []
    left = 0
    for cause in found:
        counted[cause.key] += 1
        if counted[cause.key] > MOST_ALIKE or len(kept) == MOST:
            left += 1
        else:
            kept.append(cause)
    return (*kept, Text("diagnosis.more", {"count": left})) if left else tuple(kept)


def _logged(pod: str, log: str) -> Text | None:
    """Return what a crashed Pod's log gives away, with the line that does."""
    for pattern, key in LOGGED:
        if found := re.search(rf"(?im)^.*(?:{pattern}).*$", log):
            line = found[0].strip()[:200]
            return Text(key, {"pod": pod, "line": line, "where": f"pod/{pod}", "reason": line})
    return None


def _of_pod(pod: Object) -> Iterator[Text]:
    """Yield what a Pod's status says is wrong with it."""
    name, status = pod["metadata"]["name"], pod.get("status", {})
    if status.get("reason") == "Evicted" and "resource: ephemeral-storage" in status.get("message", ""):
        yield Text("cause.space", {"where": f"pod/{name}", "reason": brief(status["message"])})
    for field in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(field) or ():
            if cause := _of_container(name, container, lasting=field == "containerStatuses"):
                yield cause
    for condition in _conditions(pod, "PodScheduled", "False"):
        yield Text("cause.unscheduled", {"pod": name, "reason": brief(condition.get("message", ""))})


def _of_container(pod: str, container: Mapping[str, Any], lasting: bool) -> Text | None:
    """Return what a container's state says is wrong with it, if something is."""
    state = container.get("state", {})
    ended = container.get("lastState", {}).get("terminated") or {}
    waiting = state.get("waiting") or {}
    reason, message = waiting.get("reason", ""), brief(waiting.get("message", ""))
    if "OOMKilled" in (ended.get("reason"), (state.get("terminated") or {}).get("reason")):
        return Text("cause.memory", {"pod": pod})
    if reason == "ErrImageNeverPull":
        return Text("cause.image-never", {"pod": pod, "reason": reason, "image": container["image"]})
    if reason in NO_PULL:
        return Text("cause.image", {"pod": pod, "reason": reason, "image": container["image"]})
    if reason in NOT_MADE:
        return Text("cause.config", {"pod": pod, "reason": reason, "message": message})
    if reason in ("CrashLoopBackOff", "RunContainerError"):
        return Text("cause.crash", {"pod": pod, "reason": reason, "code": ended.get("exitCode", "?")})
    if lasting and state.get("running") and not container.get("ready"):
        return Text("cause.probe", {"pod": pod})
    return None


def _of_replicaset(replicaset: Object) -> Iterator[Text]:
    """Yield why a ReplicaSet can make no Pods, as the API server has told it."""
    for condition in _conditions(replicaset, "ReplicaFailure", "True"):
        said = str(condition.get("message", ""))
        key = "cause.quota" if _QUOTA.search(said) else "cause.refused"
        yield Text(key, {"owner": f"replicaset/{replicaset['metadata']['name']}", "message": brief(said)})


def _of_node(node: Object) -> Iterator[Text]:
    name = node["metadata"]["name"]
    for condition in _conditions(node, "DiskPressure", "True"):
        yield Text("cause.space", {"where": f"node/{name}", "reason": brief(condition.get("message", ""))})
    for condition in (*_conditions(node, "Ready", "False"), *_conditions(node, "Ready", "Unknown")):
        yield Text("cause.node", {"node": name, "reason": brief(condition.get("message", ""))})


def _of_service(service: Object, pods: list[Object]) -> Iterator[Text]:
    """Yield why a Service sends requests nowhere; that it selects nothing at all, only of our own."""
    seen = xray(service, pods)
    yield from seen.texts()
    ours = (service["metadata"].get("labels") or {}).get(OWNED_BY) == OWNER
    if ours and seen.selector and not seen.matching and not seen.misses:
        yield Text("cause.no-endpoints", {"service": seen.service, "selector": seen.selector})


def _conditions(item: Object, kind: str, status: str) -> list[Mapping[str, Any]]:
    found = item.get("status", {}).get("conditions") or ()
    return [condition for condition in found if (condition["type"], condition["status"]) == (kind, status)]
