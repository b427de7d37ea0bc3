"""What the two endpoint controllers have in common: which Pods a Service has, and on which ports."""

from __future__ import annotations

from collections.abc import Iterable

from kubetour.embedded.api import Object
from kubetour.embedded.clock import rfc3339
from kubetour.embedded.controller import Informer, Key
from kubetour.embedded.podutil import condition, is_ready, parse_time

TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
HEADLESS = "service.kubernetes.io/headless"


def is_managed_by(manager: str, found: Object) -> bool:
    """Tell whether a slice is kept by that controller."""
    return (found["metadata"].get("labels") or {}).get(MANAGED_BY) == manager


def selects(service: Object, pod: Object) -> bool:
    """Tell whether a Service's selector matches a Pod. A Service without selector has no Pods of its own."""
    selector = service["spec"].get("selector")
    return bool(selector) and selector.items() <= (pod["metadata"].get("labels") or {}).items()


def services_of(services: Informer, old: Object | None, new: Object | None) -> list[Object]:
    """Return the Services whose endpoints a change of a Pod may change; none for one of no importance."""
    if old and new and _facts(old) == _facts(new):
        return []
    pods = [pod for pod in (old, new) if pod]
    namespace = pods[0]["metadata"]["namespace"]
    return [
        service
        for service in services.by("namespace", namespace)
        if any(selects(service, pod) for pod in pods)
    ]


def _facts(pod: Object) -> tuple[object, ...]:
    """Return all of a Pod that its endpoint shows."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    return (
        metadata["uid"],
        metadata.get("labels"),
        "deletionTimestamp" in metadata,
        status.get("podIP"),
        status.get("phase"),
        pod["spec"].get("nodeName"),
        is_ready(pod),
    )


def selected(service: Object, pods: Informer) -> list[Object]:
    """Return the Pods a Service selects, oldest first."""
    found = [pod for pod in pods.by("namespace", service["metadata"]["namespace"]) if selects(service, pod)]
    return sorted(found, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))


def target_port(pod: Object, port: Object) -> int | None:
    """Return the port of a Pod behind a Service's port, None where a named port is not there."""
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    protocol = port.get("protocol", "TCP")
    for container in _serving_containers(pod):
        for declared in container.get("ports") or ():
            if declared.get("name") == target and declared.get("protocol", "TCP") == protocol:
                return int(declared["containerPort"])
    return None


def _serving_containers(pod: Object) -> Iterable[Object]:
    yield from pod["spec"].get("containers") or ()
    # An init container that always restarts is a sidecar, which may serve.
    yield from (
        item for item in pod["spec"].get("initContainers") or () if item.get("restartPolicy") == "Always"
    )


class PortFinder:
    """The endpoint ports that each Pod has for one Service."""

    def __init__(self, service: Object) -> None:
        self._declared = service["spec"].get("ports") or []
        named = any(isinstance(port.get("targetPort"), str) for port in self._declared)
        self._common: list[Object] | None = None if named else self._look({"spec": {}})

    def find(self, pod: Object) -> list[Object] | None:
        """Return a Pod's ports, None where it has none of those it should. The list is not the caller's: with
        numbered ports it is the same one for all Pods."""
        return self._look(pod) if self._common is None else self._common

    def _look(self, pod: Object) -> list[Object] | None:
        found = []
        for port in self._declared:
            number = target_port(pod, port)
            if number is not None:
                entry = {
                    "name": port.get("name", ""),
                    "protocol": port.get("protocol", "TCP"),
                    "port": number,
                }
                if port.get("appProtocol"):
                    entry["appProtocol"] = port["appProtocol"]
                found.append(entry)
        return found if found or not self._declared else None


Signature = tuple[object, ...]


def signature(ports: Iterable[Object]) -> Signature:
    """Return what is equal for equal ports, in whatever order they are."""
    return tuple(
        sorted(
            (port.get("name", ""), port["port"], port["protocol"], port.get("appProtocol", ""))
            for port in ports
        )
    )


def service_key(found: Object) -> Key:
    """Return the key of the Service an EndpointSlice belongs to."""
    metadata = found["metadata"]
    return Key(metadata["namespace"], (metadata.get("labels") or {}).get(SERVICE_NAME, ""))


def is_headless(service: Object) -> bool:
    """Tell whether a Service has no address of its own."""
    return bool(service["spec"].get("clusterIP") == "None")


def target_reference(pod: Object) -> Object:
    """Return the reference by which an endpoint names its Pod."""
    metadata = pod["metadata"]
    return {
        "kind": "Pod",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


class TriggerTimes:
    """Finds out when the change happened that endpoints are now written for (trigger_time_tracker.go)."""

    def __init__(self) -> None:
        self._known: dict[Key, dict[str, str]] = {}

    def forget(self, key: Key) -> None:
        """Drop what is known of a Service that is gone."""
        self._known.pop(key, None)

    def changed(self, key: Key, service: Object, pods: Iterable[Object]) -> str:
        """Return the earliest moment that is new since the last call, "" if there is none."""
        times = {"": service["metadata"]["creationTimestamp"]}
        for pod in pods:
            ready = condition(pod, "Ready")
            if ready:
                times[pod["metadata"]["name"]] = ready["lastTransitionTime"]
        before = self._known.get(key, {})
        self._known[key] = times
        fresh = [parse_time(time) for name, time in times.items() if time > before.get(name, "")]
        return rfc3339(min(fresh)) if fresh else ""
