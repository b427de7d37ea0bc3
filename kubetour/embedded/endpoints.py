"""The endpoints controller: the older form of EndpointSlices, one object per Service.

`EndpointsController(api: Informers, clock: Clock)`. After pkg/controller/endpoint of Kubernetes.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubetour.embedded import endpoints_util as util
from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.clock import Clock
from kubetour.embedded.controller import Controller, Informers, Key, key_of
from kubetour.embedded.podutil import is_ready, is_terminal

MANAGED_BY = "endpoints.kubernetes.io/managed-by"
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
_MANAGER = "endpoint-controller"
_CAPACITY = 1000


class EndpointsController(Controller[Key]):
    """Keeps the Endpoints of Services that have a selector."""

    def __init__(self, api: Informers, clock: Clock) -> None:
        super().__init__(api, clock)
        self._times = util.TriggerTimes()
        self._services = self.follow("services", self._changed)
        self._endpoints = self.follow("endpoints", self._changed)
        self._pods = self.follow("pods", self._pod_changed)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        self.queue.add(key_of(new or old or {}))

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        for service in util.services_of(self._services, old, new):
            self.queue.add(key_of(service))

    def sync(self, key: Key) -> None:
        """Make one Service's Endpoints what its Pods are."""
        service, present = self._services.get(*key), self._endpoints.get(*key)
        if service is None:
            self._times.forget(key)
            if present and (present["metadata"].get("labels") or {}).get(MANAGED_BY) == _MANAGER:
                self._delete(present)
            return
        if not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
            return
        pods = util.selected(service, self._pods)
        trigger = self._times.changed(key, service, pods)
        subsets = make_subsets(service, pods)
        labels = {**(service["metadata"].get("labels") or {}), MANAGED_BY: _MANAGER}
        if util.is_headless(service):
            labels[util.HEADLESS] = ""
        if present is None:
            wanted: Object = {"metadata": {"name": key.name, "namespace": key.namespace}}
        elif (present.get("subsets") or []) == subsets and present["metadata"].get("labels") == labels:
            return
        else:
            wanted = present
        wanted = {**wanted, "metadata": {**wanted["metadata"], "labels": labels}, "subsets": subsets}
        _annotate(wanted["metadata"], trigger, over_capacity=len(pods) > _CAPACITY)
        if present is None:
            self.api.create("endpoints", wanted)
        else:
            self.api.update("endpoints", wanted)

    def _delete(self, present: Object) -> None:
        metadata = present["metadata"]
        try:
            self.api.delete("endpoints", metadata["name"], metadata["namespace"], uid=metadata["uid"])
        except StatusError as error:
            if error.code != 404:
                raise


def _annotate(metadata: Object, trigger: str, *, over_capacity: bool) -> None:
    annotations = dict(metadata.pop("annotations", None) or {})
    for name, value in ((util.TRIGGER_TIME, trigger), (OVER_CAPACITY, "truncated" if over_capacity else "")):
        annotations.pop(name, None)
        if value:
            annotations[name] = value
    if annotations:
        metadata["annotations"] = annotations


def make_subsets(service: Object, pods: Iterable[Object]) -> list[Object]:
    """Return the subsets: Pods by their ports, ready and not ready. Terminating Pods are not in them."""
    publish = bool(service["spec"].get("publishNotReadyAddresses"))
    ports_of = util.PortFinder(service)
    subsets: dict[tuple[object, ...], Object] = {}
    count = 0
    for pod in pods:
        deleted = "deletionTimestamp" in pod["metadata"] and not publish
        ports = ports_of.find(pod)
        if deleted or is_terminal(pod) or not (pod.get("status") or {}).get("podIP") or ports is None:
            continue
        count += 1
        if count > _CAPACITY:
            break
        field = "addresses" if publish or is_ready(pod) else "notReadyAddresses"
        subset = subsets.setdefault(util.signature(ports), {"ports": [_port(port) for port in ports]})
        subset.setdefault(field, []).append(_address(service, pod))
    return [_in_order(subset) for subset in subsets.values()]


def _port(port: Object) -> Object:
    return {field: value for field, value in port.items() if value}


def _address(service: Object, pod: Object) -> Object:
    address = {"ip": pod["status"]["podIP"]}
    spec = pod["spec"]
    if spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]:
        address["hostname"] = spec["hostname"]
    if spec.get("nodeName"):
        address["nodeName"] = spec["nodeName"]
    return {**address, "targetRef": util.target_reference(pod)}


def _in_order(subset: Object) -> Object:
    ordered: Object = {
        field: sorted(subset[field], key=lambda item: [int(part) for part in item["ip"].split(".")])
        for field in ("addresses", "notReadyAddresses")
        if field in subset
    }
    return {**ordered, **({"ports": subset["ports"]} if subset["ports"] else {})}
