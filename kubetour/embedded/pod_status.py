"""A Pod's status from its spec and what its containers are: pure functions, in kubelet's words.

k8s.io/kubernetes/pkg/kubelet/{kubelet_pods,status/generate}.go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubetour.embedded import quantity
from kubetour.embedded.api import Object

# The scheme of container IDs and of the node's containerRuntimeVersion.
RUNTIME = "embedded"


@dataclass(frozen=True)
class Ended:
    """A container that ran and ended. Times are metav1.Time."""

    container_id: str
    exit_code: int
    reason: str
    message: str
    started_at: str
    finished_at: str

    def state(self) -> Object:
        """Return v1.ContainerStateTerminated."""
        state = {
            "exitCode": self.exit_code,
            "reason": self.reason,
            "message": self.message,
            "startedAt": self.started_at,
            "finishedAt": self.finished_at,
            "containerID": f"{RUNTIME}://{self.container_id}",
        }
        return {key: value for key, value in state.items() if value != ""}


@dataclass(frozen=True)
class ContainerView:
    """One container of a Pod as it is now: waiting (with a reason), running since, or ended."""

    waiting: str = "ContainerCreating"
    message: str = ""
    running_since: str = ""
    ended: Ended | None = None
    last: Ended | None = None
    container_id: str = ""
    image: str = ""  # in full, once the image is known
    image_id: str = ""
    restarts: int = 0
    ready: bool = False
    started: bool = False

    @property
    def is_running(self) -> bool:
        """Return whether it runs."""
        return bool(self.running_since)

    def state(self) -> Object:
        """Return v1.ContainerState."""
        if self.running_since:
            return {"running": {"startedAt": self.running_since}}
        if self.ended:
            return {"terminated": self.ended.state()}
        waiting = {"reason": self.waiting, "message": self.message}
        return {"waiting": {key: value for key, value in waiting.items() if value}}


@dataclass(frozen=True)
class PodView:
    """A Pod as it is on its node: its containers by name, its addresses, and whether it is being stopped."""

    init: Mapping[str, ContainerView]
    containers: Mapping[str, ContainerView]
    host_ip: str
    pod_ip: str = ""
    start_time: str = ""
    stopped: bool = False  # told to end, and every container has
    reason: str = ""
    message: str = ""


def is_sidecar(container: Object) -> bool:
    """Return whether an init container is one that goes on running beside the Pod's own."""
    return container.get("restartPolicy") == "Always"


def _sidecars(spec: Object) -> list[Object]:
    return [container for container in spec.get("initContainers") or [] if is_sidecar(container)]


def _uninitialized(spec: Object, view: PodView) -> list[str]:
    """Return the init containers that have not done their work yet, or, as sidecars, have not begun it.

    Once a container of the Pod's own has run, they all have, whatever becomes of a sidecar.
    """
    if any(one.is_running or one.ended or one.last for one in view.containers.values()):
        return []
    return [
        container["name"]
        for container in spec.get("initContainers") or []
        if not (
            view.init[container["name"]].started
            if is_sidecar(container)
            else (ended := view.init[container["name"]].ended) and ended.exit_code == 0
        )
    ]


def phase(spec: Object, view: PodView) -> str:
    """Return the Pod's phase (kubelet's getPhase)."""
    policy = spec.get("restartPolicy", "Always")
    init_failed = any(
        (ended := view.init[container["name"]].ended) and ended.exit_code != 0
        for container in spec.get("initContainers") or []
        if not is_sidecar(container)
    )
    views = list(view.containers.values())
    codes = [last.exit_code for one in views if not one.is_running and (last := one.ended or one.last)]
    succeeded = codes.count(0)
    if view.stopped:
        whole = succeeded == len(views) and not _uninitialized(spec, view) and not view.reason
        return "Succeeded" if whole else "Failed"
    sidecars = [view.init[container["name"]] for container in _sidecars(spec)]
    if _uninitialized(spec, view):
        over = init_failed and policy == "Never" and not any(one.is_running for one in sidecars)
        return "Failed" if over else "Pending"
    if any(not one.is_running and not one.ended and not one.last for one in views):
        return "Pending"
    if any(one.is_running for one in (*views, *sidecars)) or policy == "Always":
        return "Running"
    if succeeded == len(views):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def _condition(kind: str, status: bool, reason: str = "", message: str = "") -> Object:
    condition = {"type": kind, "status": str(status), "reason": reason, "message": message}
    return {key: value for key, value in condition.items() if value}


def _listed(text: str, names: Sequence[str]) -> str:
    return f"{text}: [{' '.join(names)}]"


def _conditions(pod: Object, view: PodView, current: str) -> list[Object]:
    spec = pod["spec"]
    missing = _uninitialized(spec, view)
    init = _condition(
        "Initialized",
        not missing or current == "Succeeded",
        "PodCompleted" if current == "Succeeded" else "ContainersNotInitialized" if missing else "",
        _listed("containers with incomplete status", missing) if missing else "",
    )
    views = {**view.init, **view.containers}
    unready = [
        container["name"]
        for container in (*_sidecars(spec), *spec["containers"])
        if not views[container["name"]].ready
    ]
    if current in ("Succeeded", "Failed"):
        reason = "PodCompleted" if current == "Succeeded" else "PodFailed"
        containers, ready = (_condition(kind, False, reason) for kind in ("ContainersReady", "Ready"))
    elif unready:
        text = _listed("containers with unready status", unready)
        containers, ready = (
            _condition(kind, False, "ContainersNotReady", text) for kind in ("ContainersReady", "Ready")
        )
    else:
        containers, ready = _condition("ContainersReady", True), _gates(pod)
    can_start = _condition("PodReadyToStartContainers", bool(view.pod_ip) and not view.stopped)
    return [can_start, init, ready, containers, _condition("PodScheduled", True)]


def _gates(pod: Object) -> Object:
    """Return the condition Ready of a Pod whose containers are: its readiness gates decide."""
    known = {c["type"]: c["status"] for c in (pod.get("status") or {}).get("conditions") or []}
    closed = [
        gate["conditionType"]
        for gate in pod["spec"].get("readinessGates") or []
        if known.get(gate["conditionType"]) != "True"
    ]
    if not closed:
        return _condition("Ready", True)
    parts = [
        f'the status of pod readiness gate "{name}" is not "True", but {known.get(name, "False")}'
        if name in known
        else f'corresponding condition of pod readiness gate "{name}" does not exist.'
        for name in closed
    ]
    return _condition("Ready", False, "ReadinessGatesNotReady", ", ".join(parts))


def status(pod: Object, view: PodView, now: str) -> Object:
    """Return the Pod's whole status. `now` is the metav1.Time of what changes; the rest keeps its time."""
    old = pod.get("status") or {}
    generation = pod["metadata"].get("generation", 1)
    current = phase(pod["spec"], view)
    before = {condition["type"]: condition for condition in old.get("conditions") or []}
    conditions = []
    for condition in _conditions(pod, view, current):
        known = before.pop(condition["type"], None)
        same = known and known["status"] == condition["status"]
        conditions.append(
            {
                **condition,
                "observedGeneration": generation,
                "lastProbeTime": None,
                "lastTransitionTime": known["lastTransitionTime"] if known and same else now,
            }
        )
    new: Object = {
        "observedGeneration": generation,
        "phase": current,
        "conditions": [*before.values(), *conditions],  # others' conditions stay as they are
        "hostIP": view.host_ip,
        "hostIPs": [{"ip": view.host_ip}],
        "startTime": old.get("startTime") or view.start_time or now,
        "qosClass": old.get("qosClass", "BestEffort"),
        **_resources(pod["spec"]["containers"]),
    }
    if view.reason:
        new["reason"] = view.reason
    if view.message:
        new["message"] = view.message
    if view.pod_ip:
        new |= {"podIP": view.pod_ip, "podIPs": [{"ip": view.pod_ip}]}
    if pod["spec"].get("initContainers"):
        new["initContainerStatuses"] = [
            _container_status(container, view.init[container["name"]])
            for container in pod["spec"]["initContainers"]
        ]
    new["containerStatuses"] = [
        _container_status(container, view.containers[container["name"]])
        for container in pod["spec"]["containers"]
    ]
    return new


def _resources(containers: Sequence[Object]) -> Object:
    """Return what the containers ask for together, as the Pod's own."""
    totals: dict[str, dict[str, str]] = {}
    for container in containers:
        for kind, amounts in (container.get("resources") or {}).items():
            for name, amount in amounts.items() if kind in ("limits", "requests") else ():
                total = totals.setdefault(kind, {})
                total[name] = quantity.added(total[name], amount) if name in total else amount
    allocated = {"allocatedResources": totals["requests"]} if "requests" in totals else {}
    return {**allocated, "resources": totals}


def _container_status(container: Object, view: ContainerView) -> Object:
    found: dict[str, Any] = {
        "name": container["name"],
        "state": view.state(),
        "lastState": {"terminated": view.last.state()} if view.last else {},
        "ready": view.ready,
        "restartCount": view.restarts,
        "image": view.image or container["image"],
        "imageID": view.image_id,
        "started": view.started,
    }
    if view.container_id:
        found["containerID"] = f"{RUNTIME}://{view.container_id}"
        found["resources"] = container.get("resources") or {}
        requests = found["resources"].get("requests")
        if requests:
            found["allocatedResources"] = requests
    mounts = [_mount(mount) for mount in container.get("volumeMounts") or []]
    if mounts:
        found["volumeMounts"] = mounts
    return found


def _mount(mount: Object) -> Object:
    shown = {key: mount[key] for key in ("name", "mountPath", "readOnly") if mount.get(key)}
    return {**shown, "recursiveReadOnly": "Disabled"} if mount.get("readOnly") else shown
