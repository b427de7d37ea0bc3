"""What the cluster's objects say of a failure, in Kubernetes' own words: conditions, states, events; bounded.

These are lines of evidence, and therefore in no language but the cluster's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kubetour.checks import Object
from kubetour.proofs.common import condition, terminating
from kubetour.refusals import brief

MOST_OBJECTS = 3  # of a kind: the others are in the same state
MOST_WARNINGS = 5
# Conditions that are bad when True; all others are when they are not.
PRESSURES = ("ReplicaFailure", "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")
KINDS = (("deployment", "deployments"), ("pod", "pods"), ("node", "nodes"))


def states(objects: Mapping[str, tuple[Object, ...]]) -> tuple[str, ...]:
    """Return the conditions that do not hold of Deployments, Pods and nodes, and what containers do."""
    lines: list[str] = []
    for kind, plural in KINDS:
        told = [
            f"{kind}/{item['metadata']['name']}: {line}"
            for item in _first(objects, plural)
            for line in _of(item)
        ]
        lines += told
    return tuple(lines)


def _first(objects: Mapping[str, tuple[Object, ...]], plural: str) -> list[Object]:
    """Return the first that are in trouble."""
    return [item for item in objects.get(plural, ()) if any(_of(item))][:MOST_OBJECTS]


def _of(item: Object) -> Iterator[str]:
    """Yield what an object says of its trouble; one that is well, or on its way out, says nothing."""
    status = item.get("status", {})
    if terminating(item) or status.get("phase") == "Succeeded":
        return
    for found in status.get("conditions") or ():
        if (found["status"] == "True") == (found["type"] in PRESSURES):
            yield _words(f"{found['type']}={found['status']}", found.get("reason"), found.get("message"))
    if status.get("containerStatuses") and not condition(item, "Ready"):
        for container in (*(status.get("initContainerStatuses") or ()), *status["containerStatuses"]):
            if not container.get("ready"):
                yield _container(container)


def _container(container: Mapping[str, Any]) -> str:
    """Return what a container does and what it did before: `web: waiting CrashLoopBackOff; before: …`."""
    now, before = _state(container.get("state") or {}), _state(container.get("lastState") or {})
    told = f"{container['name']}: {now or 'unknown'}"
    if before:
        told += f"; before: {before}; restarts: {container.get('restartCount', 0)}"
    return told


def _state(state: Mapping[str, Any]) -> str:
    for name, about in state.items():
        if name == "running":
            return "running, not ready"
        if name == "terminated":
            return _words(f"terminated, exit code {about.get('exitCode', '?')}", about.get("reason"), None)
        return _words(name, about.get("reason"), about.get("message"))
    return ""


def _words(what: str, reason: str | None, message: str | None) -> str:
    return brief(": ".join(filter(None, (" ".join(filter(None, (what, reason))), message))))


def warnings(objects: Mapping[str, tuple[Object, ...]]) -> tuple[str, ...]:
    """Return the cluster's own warnings, newest last, each in one line."""
    told = [e for e in objects.get("events", ()) if e.get("type") == "Warning"]
    told.sort(key=lambda e: str(e.get("lastTimestamp") or e["metadata"]["creationTimestamp"]))
    lines = (
        f"{e['involvedObject'].get('name', '?')}: {e['reason']}: {brief(e.get('message', ''))}" for e in told
    )
    return tuple(dict.fromkeys(lines))[-MOST_WARNINGS:]


def last_lines(logs: Mapping[str, str]) -> Iterable[str]:
    """Yield the lines of Pods' logs, each with its Pod's name."""
    return (f"{pod}: {brief(line)}" for pod, log in logs.items() for line in log.splitlines())
