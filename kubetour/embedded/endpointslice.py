"""The endpointslice controller: a Service's Pods, in slices of at most 100, ready or not.

`EndpointSliceController(api: Informers, clock: Clock)`. After k8s.io/endpointslice (reconciler.go, utils.go).
"""

from __future__ import annotations

from collections.abc import Sequence

from kubetour.embedded import endpoints_util as util
from kubetour.embedded.api import Object
from kubetour.embedded.clock import Clock
from kubetour.embedded.controller import Controller, Informers, Key, key_of
from kubetour.embedded.controller_ref import owner_reference
from kubetour.embedded.endpointslice_packing import Slice, pack
from kubetour.embedded.podutil import is_ready, is_terminal

MANAGER = "endpointslice-controller.k8s.io"
_ZONE = "topology.kubernetes.io/zone"


class EndpointSliceController(Controller[Key]):
    """Keeps the EndpointSlices of Services that have a selector."""

    def __init__(self, api: Informers, clock: Clock) -> None:
        super().__init__(api, clock)
        self._times = util.TriggerTimes()
        self._nodes = self.follow("nodes")
        self._services = self.follow("services", self._service_changed)
        self._pods = self.follow("pods", self._pod_changed)
        self._slices = self.follow("endpointslices", self._slice_changed)
        self._slices.add_index("service", lambda found: (util.service_key(found),))

    def _service_changed(self, old: Object | None, new: Object | None) -> None:
        self.queue.add(key_of(new or old or {}))

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        for service in util.services_of(self._services, old, new):
            self.queue.add(key_of(service))

    def _slice_changed(self, old: Object | None, new: Object | None) -> None:
        found = new or old or {}
        if util.is_managed_by(MANAGER, found):
            self.queue.add(util.service_key(found))

    def sync(self, key: Key) -> None:
        """Make one Service's slices what its Pods are."""
        service = self._services.get(*key)
        if service is None:
            self._times.forget(key)
            return
        if not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
            return
        pods = util.selected(service, self._pods)
        trigger = self._times.changed(key, service, pods)
        ports_of = util.PortFinder(service)
        wanted = [
            (ports, self._endpoint(service, pod))
            for pod in pods
            if not is_terminal(pod)
            and (pod.get("status") or {}).get("podIP")
            and (ports := ports_of.find(pod)) is not None
        ]
        mine = [found for found in self._slices.by("service", key) if util.is_managed_by(MANAGER, found)]
        mine.sort(key=lambda found: (found["metadata"]["creationTimestamp"], found["metadata"]["name"]))
        self._write(service, mine, pack(wanted, [_content(found) for found in mine]), trigger)

    def _endpoint(self, service: Object, pod: Object) -> Object:
        serving = is_ready(pod)
        terminating = "deletionTimestamp" in pod["metadata"]
        ready = bool(service["spec"].get("publishNotReadyAddresses")) or (serving and not terminating)
        endpoint: Object = {
            "addresses": [pod["status"]["podIP"]],
            "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
            "targetRef": util.target_reference(pod),
        }
        spec = pod["spec"]
        if spec.get("nodeName"):
            endpoint["nodeName"] = spec["nodeName"]
            node = self._nodes.get("", spec["nodeName"])
            zone = (node["metadata"].get("labels") or {}).get(_ZONE) if node else None
            if zone:
                endpoint["zone"] = zone
        if spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]:
            endpoint["hostname"] = spec["hostname"]
        return endpoint

    def _write(self, service: Object, mine: Sequence[Object], slices: Sequence[Slice], trigger: str) -> None:
        metadata = _metadata(service)
        for found, content in zip(mine, slices[: len(mine)], strict=True):
            if content is None:
                name, namespace = found["metadata"]["name"], found["metadata"]["namespace"]
                self.api.delete("endpointslices", name, namespace, uid=found["metadata"]["uid"])
            elif content != _content(found) or metadata["labels"] != found["metadata"].get("labels"):
                self.api.update("endpointslices", _filled(found, metadata["labels"], content, trigger))
        if "deletionTimestamp" in service["metadata"]:
            # Whoever deletes it and its slices (foreground) would never be done. The same rule is in the real
            # controller's reconciler.go (finalize).
            return
        for content in slices[len(mine) :]:
            if content is not None:
                fresh = {"metadata": metadata, "addressType": "IPv4"}
                self.api.create("endpointslices", _filled(fresh, metadata["labels"], content, trigger))


def _content(found: Object) -> tuple[list[Object], list[Object]]:
    return found.get("ports") or [], found.get("endpoints") or []


def _metadata(service: Object) -> Object:
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    labels = {**(service["metadata"].get("labels") or {}), util.SERVICE_NAME: name, util.MANAGED_BY: MANAGER}
    if util.is_headless(service):
        labels[util.HEADLESS] = ""
    return {
        "generateName": f"{name}-",
        "namespace": namespace,
        "labels": labels,
        "ownerReferences": [owner_reference(service, "Service", "v1")],
    }


def _filled(
    found: Object, labels: Object, content: tuple[list[Object], list[Object]], trigger: str
) -> Object:
    metadata = {**found["metadata"], "labels": labels}
    annotations = {
        name: value
        for name, value in (metadata.pop("annotations", None) or {}).items()
        if name != util.TRIGGER_TIME
    }
    if trigger:
        annotations[util.TRIGGER_TIME] = trigger
    if annotations:
        metadata["annotations"] = annotations
    ports, endpoints = content
    return {**found, "metadata": metadata, "ports": ports, "endpoints": endpoints}
