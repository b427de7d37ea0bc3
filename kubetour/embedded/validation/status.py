"""Rules of what is written through /status: counters that cannot be, phases and addresses that are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import NOT_NEGATIVE, FieldError, duplicate, forbidden, invalid, unsupported
from kubetour.embedded.quantity import parse
from kubetour.embedded.validation.job_status import validate_job_status
from kubetour.embedded.validation.metadata import NOT_AN_IP, dns1123_subdomain, is_ip, qualified_name

_MODES = ("Proxy", "VIP")
# Those of every Pod, which need no second look.
_POD_CONDITIONS = frozenset(
    ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
)
# Of each kind its counters, in the order in which Kubernetes looks at them.
_COUNTERS: dict[str, tuple[str, ...]] = {
    "daemonsets": (
        "currentNumberScheduled",
        "numberMisscheduled",
        "desiredNumberScheduled",
        "numberReady",
        "observedGeneration",
        "updatedNumberScheduled",
        "numberAvailable",
        "numberUnavailable",
        "collisionCount",
    ),
    "deployments": (
        "observedGeneration",
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
        "unavailableReplicas",
        "terminatingReplicas",
        "collisionCount",
    ),
    "horizontalpodautoscalers": ("currentReplicas", "desiredReplicas"),
    "poddisruptionbudgets": ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"),
    "replicasets": (
        "replicas",
        "fullyLabeledReplicas",
        "readyReplicas",
        "availableReplicas",
        "terminatingReplicas",
        "observedGeneration",
    ),
    "replicationcontrollers": (
        "replicas",
        "fullyLabeledReplicas",
        "readyReplicas",
        "availableReplicas",
        "observedGeneration",
    ),
    "statefulsets": (
        "replicas",
        "readyReplicas",
        "currentReplicas",
        "updatedReplicas",
        "availableReplicas",
        "observedGeneration",
        "collisionCount",
    ),
}
# Which of them are parts of `replicas`, and how the one that is part of `readyReplicas` is told so.
_PARTS_OF = {
    "deployments": (("updatedReplicas", "readyReplicas", "availableReplicas"), "readyReplicas"),
    "replicasets": (("fullyLabeledReplicas", "readyReplicas", "availableReplicas"), "readyReplicas"),
    "replicationcontrollers": (
        ("fullyLabeledReplicas", "readyReplicas", "availableReplicas"),
        "readyReplicas",
    ),
    "statefulsets": (
        ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"),
        "status.readyReplicas",
    ),
}


def validate_status(plural: str, new: Object, old: Object) -> list[FieldError]:
    """Return what is wrong with the status that is to replace another."""
    rule = _RULES.get(plural)
    errors = list(rule(new, old)) if rule else []
    if plural in _COUNTERS:
        errors += _counters(plural, new.get("status") or {}, old.get("status") or {})
    return errors


def _counters(plural: str, status: Object, before: Object) -> Iterator[FieldError]:
    for key in _COUNTERS[plural]:
        if status.get(key, 0) < 0:
            yield invalid(f"status.{key}", status[key], NOT_NEGATIVE)
    yield from _parts(plural, status)
    count = status.get("collisionCount", 0)
    if "collisionCount" in _COUNTERS[plural] and count < before.get("collisionCount", 0):
        yield invalid("status.collisionCount", count, "cannot be decremented")


def _parts(plural: str, status: Object) -> Iterator[FieldError]:
    parts, ready = _PARTS_OF.get(plural, ((), ""))
    for key in parts:
        if status.get(key, 0) > status.get("replicas", 0):
            yield invalid(f"status.{key}", status.get(key, 0), "cannot be greater than status.replicas")
    if parts and status.get("availableReplicas", 0) > status.get("readyReplicas", 0):
        text = f"cannot be greater than {ready}"
        yield invalid("status.availableReplicas", status["availableReplicas"], text)


def _namespace(new: Object, _: Object) -> Iterator[FieldError]:
    phase = (new.get("status") or {}).get("phase", "")
    if "deletionTimestamp" in new["metadata"]:
        if phase != "Terminating":
            text = "may only be 'Terminating' if `deletionTimestamp` is not empty"
            yield invalid("status.Phase", phase, text)
    elif phase != "Active":
        yield invalid("status.Phase", phase, "may only be 'Active' if `deletionTimestamp` is empty")


def _service(new: Object, _: Object) -> Iterator[FieldError]:
    where = "status.loadBalancer.ingress"
    points = ((new.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    if points and new["spec"].get("type") != "LoadBalancer":
        yield forbidden(where, "may only be used when `spec.type` is 'LoadBalancer'")
        return
    for index, point in enumerate(points):
        yield from _point(point, f"{where}[{index}]")


def _ingress(new: Object, _: Object) -> Iterator[FieldError]:
    points = ((new.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    for index, point in enumerate(points):
        yield from _point(point, f"status.loadBalancer.ingress[{index}]")


def _point(point: Object, where: str) -> Iterator[FieldError]:
    address, host, mode = point.get("ip"), point.get("hostname"), point.get("ipMode")
    if address and not is_ip(address):
        yield invalid(f"{where}.ip", address, NOT_AN_IP)
    if mode and not address:
        yield forbidden(f"{where}.ipMode", "may not be specified when `ip` is not set")
    elif mode and mode not in _MODES:
        yield unsupported(f"{where}.ipMode", mode, _MODES)
    if host:
        yield from (invalid(f"{where}.hostname", host, text) for text in dns1123_subdomain(host))
        if is_ip(host):
            yield invalid(f"{where}.hostname", host, "must be a DNS name, not an IP address")


def _node(new: Object, _: Object) -> Iterator[FieldError]:
    status = new.get("status") or {}
    seen: set[tuple[str, str]] = set()
    for index, address in enumerate(status.get("addresses") or []):
        known = (address.get("type", ""), address.get("address", ""))
        if known in seen:
            yield duplicate(f"status.addresses[{index}]", address)
        seen.add(known)
    for key in ("capacity", "allocatable"):
        for name, amount in (status.get(key) or {}).items():
            if parse(amount) < 0:
                yield invalid(f"status.{key}.{name}", amount, NOT_NEGATIVE)


def _pod(new: Object, old: Object) -> Iterator[FieldError]:
    status, before = new.get("status") or {}, old.get("status") or {}
    for index, condition in enumerate(status.get("conditions") or []):
        kind = condition.get("type", "")
        for text in () if kind in _POD_CONDITIONS else qualified_name(kind):
            yield invalid(f"status.conditions[{index}].Type", kind, text)
    if status.get("qosClass") != before.get("qosClass"):
        yield invalid("status.qosClass", status.get("qosClass"), "field is immutable")
    now = {each.get("name"): each.get("state") or {} for each in status.get("containerStatuses") or []}
    for index, each in enumerate(before.get("containerStatuses") or []):
        ended = (each.get("state") or {}).get("terminated")
        if ended and "terminated" not in now.get(each.get("name"), {"terminated": {}}):
            policy = new["spec"].get("restartPolicy")
            if policy == "Never" or (policy == "OnFailure" and not ended.get("exitCode")):
                text = "may not be transitioned to non-terminated state"
                yield forbidden(f"status.containerStatuses[{index}].state", text)
    addresses = status.get("podIPs") or []
    for index, address in enumerate(addresses if addresses != before.get("podIPs") else ()):
        if not is_ip(address.get("ip", "")):
            yield invalid(f"status.podIPs[{index}]", address.get("ip", ""), NOT_AN_IP)


_RULES: dict[str, Callable[[Object, Object], Iterator[FieldError]]] = {
    "ingresses": _ingress,
    "jobs": validate_job_status,
    "namespaces": _namespace,
    "nodes": _node,
    "pods": _pod,
    "services": _service,
}
