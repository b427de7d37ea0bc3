"""A Pod's state in the words of `kubectl get pods`, and what kind of state that is.

The columns READY, STATUS and RESTARTS by the rules of kubectl's own printer:
https://github.com/kubernetes/kubernetes/blob/v1.33.0/pkg/printers/internalversion/printers.go (printPod)
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from kubetour.checks import Object
from kubetour.proofs.common import condition, terminating


class Mood(Enum):
    """How a Pod is getting on."""

    READY = "ready"
    STARTING = "starting"  # or running, but not ready
    ENDING = "ending"
    FAILING = "failing"
    DONE = "done"


# What a Pod is said to be while nothing is wrong; whatever else it is said to be, something is.
USUAL = ("Pending", "ContainerCreating", "PodInitializing", "SchedulingGated", "Running", "NotReady")


def mood(pod: Object) -> Mood:
    """Return what kind of state a Pod is in."""
    said = status(pod)
    if said == "Terminating":
        return Mood.ENDING
    if said in ("Completed", "Succeeded"):
        return Mood.DONE
    # Init:1/2 tells how many are through; Init:Error that one is not.
    if said not in USUAL and not (said.startswith("Init:") and said[5:6].isdigit()):
        return Mood.FAILING
    return Mood.READY if condition(pod, "Ready") else Mood.STARTING


def ready(pod: Object) -> str:
    """Return the column READY: containers that are ready, of all."""
    containers = len(pod["spec"].get("containers") or ()) + len(_sidecars(pod))
    return f"{sum(map(_is_up, _lasting(pod)))}/{containers}"


def restarts(pod: Object) -> int:
    """Return the column RESTARTS, without when the last one was."""
    return sum(container.get("restartCount", 0) for container in _lasting(pod))


def status(pod: Object) -> str:
    """Return the column STATUS."""
    about = pod.get("status", {})
    phase = str(about.get("phase") or "Pending")
    said = str(about.get("reason") or phase)
    if terminating(pod) and about.get("reason") == "NodeLost":
        return "Unknown"
    if terminating(pod) and phase not in ("Succeeded", "Failed"):
        return "Terminating"
    gates = (c.get("reason") for c in about.get("conditions") or () if c["type"] == "PodScheduled")
    if "SchedulingGated" in gates:
        said = "SchedulingGated"
    beginning = _initializing(pod)
    if beginning and not condition(pod, "Initialized"):
        return beginning
    return _of_containers(pod, beginning or said)


def _of_containers(pod: Object, said: str) -> str:
    """Return what the first container that has something to say says, else what the Pod itself does."""
    containers = pod.get("status", {}).get("containerStatuses") or ()
    for container in reversed(containers):
        said = _reason(container) or said
    if said == "Completed" and any(map(_is_up, containers)):
        return "Running" if condition(pod, "Ready") else "NotReady"
    return said


def _initializing(pod: Object) -> str:
    """Return how far the init containers are, or an empty text once all are through."""
    sidecars = _sidecars(pod)
    containers = pod.get("status", {}).get("initContainerStatuses") or ()
    for number, container in enumerate(containers):
        ended = (container.get("state") or {}).get("terminated")
        if ended and ended.get("exitCode", 0) == 0:
            continue
        if container.get("name") in sidecars and container.get("started"):
            continue
        reason = _reason(container)
        if reason and reason != "PodInitializing":
            return f"Init:{reason}"
        return f"Init:{number}/{len(pod['spec'].get('initContainers') or ())}"
    return ""


def _sidecars(pod: Object) -> set[str]:
    """Return the names of the init containers that go on running beside the others."""
    beginning = pod["spec"].get("initContainers") or ()
    return {container["name"] for container in beginning if container.get("restartPolicy") == "Always"}


def _lasting(pod: Object) -> list[Mapping[str, Any]]:
    """Return what is told of the containers that are to go on running."""
    about, sidecars = pod.get("status", {}), _sidecars(pod)
    beside = (c for c in about.get("initContainerStatuses") or () if c.get("name") in sidecars)
    return [*(about.get("containerStatuses") or ()), *beside]


def _reason(container: Mapping[str, Any]) -> str:
    """Return why a container waits or how it ended; an empty text if it runs."""
    state = container.get("state") or {}
    waiting, ended = state.get("waiting"), state.get("terminated")
    if waiting:
        return str(waiting.get("reason") or "")
    if not ended:
        return ""
    if ended.get("reason"):
        return str(ended["reason"])
    signal = ended.get("signal")
    return f"Signal:{signal}" if signal else f"ExitCode:{ended.get('exitCode', 0)}"


def _is_up(container: Mapping[str, Any]) -> bool:
    return bool(container.get("ready")) and (container.get("state") or {}).get("running") is not None
