"""The table of Pods, and the one word that sums a Pod up (printPod of Kubernetes' printers)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kubetour.embedded.api import Object
from kubetour.embedded.duration import since
from kubetour.embedded.tables.column import AGE, NAME, NONE, Column, Printer, age, name, spec_status


def _exit(terminated: Object) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def _condition(status: Object, kind: str) -> bool:
    return any(c["type"] == kind and c["status"] == "True" for c in status.get("conditions") or [])


def _init_reason(status: Object, total: int) -> str:
    """Return what the first unfinished init container is at, or "" when all are done."""
    for index, container in enumerate(status.get("initContainerStatuses") or []):
        state = container.get("state") or {}
        terminated, waiting = state.get("terminated"), state.get("waiting") or {}
        if terminated and terminated.get("exitCode", 0) == 0:
            continue
        if terminated:
            return f"Init:{_exit(terminated)}"
        if waiting.get("reason") and waiting["reason"] != "PodInitializing":
            return f"Init:{waiting['reason']}"
        return f"Init:{index}/{total}"
    return ""


def _containers_reason(status: Object, reason: str) -> str:
    running = False
    for container in reversed(status.get("containerStatuses") or []):
        state = container.get("state") or {}
        if (state.get("waiting") or {}).get("reason"):
            reason = state["waiting"]["reason"]
        elif state.get("terminated"):
            reason = _exit(state["terminated"])
        elif container.get("ready") and state.get("running") is not None:
            running = True
    if reason == "Completed" and running:
        return "Running" if _condition(status, "Ready") else "NotReady"
    return reason


def reason(pod: Object) -> str:
    """Return the Status cell: "Running", "ContainerCreating", "CrashLoopBackOff", "Terminating"…"""
    spec, status = spec_status(pod)
    text = str(status.get("reason") or status.get("phase") or "")
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            text = "SchedulingGated"
    initializing = _init_reason(status, len(spec.get("initContainers") or []))
    text = initializing or text
    if not initializing or _condition(status, "Initialized"):
        text = _containers_reason(status, text)
    if "deletionTimestamp" in pod["metadata"]:
        if status.get("reason") == "NodeLost":
            return "Unknown"
        if status.get("phase") not in ("Succeeded", "Failed"):
            return "Terminating"
    return text


def restarts(pod: Object, now: datetime) -> str:
    """Return the Restarts cell: the sum, and how long ago the last one was."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    total = sum(container.get("restartCount", 0) for container in statuses)
    ends = [((c.get("lastState") or {}).get("terminated") or {}).get("finishedAt") for c in statuses]
    last = max(filter(None, ends), default="")
    return f"{total} ({since(last, now)} ago)" if total and last else str(total)


def _cells(pod: Object, now: datetime) -> list[Any]:
    spec, status = spec_status(pod)
    statuses = status.get("containerStatuses") or []
    ready = sum(1 for c in statuses if c.get("ready") and "running" in (c.get("state") or {}))
    gates = spec.get("readinessGates") or []
    passed = sum(_condition(status, gate["conditionType"]) for gate in gates)
    return [
        name(pod),
        f"{ready}/{len(spec.get('containers') or [])}",
        reason(pod),
        restarts(pod, now),
        age(pod, now),
        status.get("podIP") or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        f"{passed}/{len(gates)}" if gates else NONE,
    ]


_RESTARTED = (
    "The number of times the containers in this pod have been restarted and when the last container in this "
    "pod has restarted."
)

PRINTERS = {
    "pods": Printer(
        (
            NAME,
            Column("Ready", "The aggregate readiness state of this pod for accepting traffic."),
            Column("Status", "The aggregate status of the containers in this pod."),
            Column("Restarts", _RESTARTED),
            AGE,
            Column("IP", "V1PodStatus.podIP", priority=1),
            Column("Node", "V1PodSpec.nodeName", priority=1),
            Column("Nominated Node", "V1PodStatus.nominatedNodeName", priority=1),
            Column("Readiness Gates", "V1PodSpec.readinessGates", priority=1),
        ),
        _cells,
    )
}
