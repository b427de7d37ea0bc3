"""The endpointslicemirroring controller: EndpointSlices of the Endpoints that somebody made by hand.

`EndpointSliceMirroringController(api: Informers, clock: Clock)`. After
k8s.io/kubernetes/pkg/controller/endpointslicemirroring (reconciler.go, utils.go).
"""

from __future__ import annotations

import ipaddress
from functools import partial

from kubetour.embedded import endpoints_util as util
from kubetour.embedded.api import Object
from kubetour.embedded.clock import Clock
from kubetour.embedded.controller import Controller, Informers, Key, key_of
from kubetour.embedded.controller_ref import owner_reference

MANAGER = "endpointslicemirroring-controller.k8s.io"
_SKIP = "endpointslice.kubernetes.io/skip-mirror"
_LEADER = "control-plane.alpha.kubernetes.io/leader"
_NOT_COPIED = (util.TRIGGER_TIME, "kubectl.kubernetes.io/last-applied-configuration")
_CAPACITY = 1000  # endpoints of a slice
_COPIED = ("nodeName", "hostname", "targetRef")

# What tells slices apart: their addresses' family and their ports.
Group = tuple[str, util.Signature]


class EndpointSliceMirroringController(Controller[Key]):
    """Keeps the EndpointSlices of Endpoints whose Service has no selector."""

    def __init__(self, api: Informers, clock: Clock) -> None:
        super().__init__(api, clock)
        self._services = self.follow("services", self._changed)
        self._endpoints = self.follow("endpoints", self._changed)
        self._slices = self.follow("endpointslices", self._slice_changed)
        self._slices.add_index("service", lambda found: (util.service_key(found),))

    def _changed(self, old: Object | None, new: Object | None) -> None:
        self.queue.add(key_of(new or old or {}))

    def _slice_changed(self, old: Object | None, new: Object | None) -> None:
        found = new or old or {}
        if util.is_managed_by(MANAGER, found):
            self.queue.add(util.service_key(found))

    def sync(self, key: Key) -> None:
        """Make the slices of one Endpoints object what it says, or remove them where none are wanted."""
        service, endpoints = self._services.get(*key), self._endpoints.get(*key)
        wanted = slices(endpoints) if service and endpoints and _is_mirrored(service, endpoints) else {}
        for found in filter(partial(util.is_managed_by, MANAGER), self._slices.by("service", key)):
            metadata = found["metadata"]
            content = wanted.pop((found["addressType"], util.signature(found.get("ports") or ())), None)
            if content is None:
                self.api.delete("endpointslices", metadata["name"], key.namespace, uid=metadata["uid"])
            elif not _is_same(found, content):
                kept = {name: value for name, value in metadata.items() if name != "annotations"}
                self.api.update("endpointslices", {**content, "metadata": {**kept, **_told(content)}})
        if endpoints and "deletionTimestamp" not in endpoints["metadata"]:
            for content in wanted.values():
                self.api.create("endpointslices", content)


def slices(endpoints: Object) -> dict[Group, Object]:
    """Return the slices that mirror Endpoints: one for each family of addresses and each set of ports."""
    found: dict[Group, Object] = {}
    for subset in endpoints.get("subsets") or ():
        ports = [{"name": "", "protocol": "TCP", **port} for port in subset.get("ports") or ()]
        for ready, field in ((True, "addresses"), (False, "notReadyAddresses")):
            for address in subset.get(field) or ():
                family = f"IPv{ipaddress.ip_address(address['ip']).version}"
                group = (family, util.signature(ports))
                made = found.setdefault(group, _slice(endpoints, family, ports))
                if len(made["endpoints"]) < _CAPACITY:
                    made["endpoints"].append(_endpoint(address, ready=ready))
    return found


def _slice(endpoints: Object, family: str, ports: list[Object]) -> Object:
    metadata = endpoints["metadata"]
    labels = {**(metadata.get("labels") or {}), util.SERVICE_NAME: metadata["name"], util.MANAGED_BY: MANAGER}
    made: Object = {
        "generateName": f"{metadata['name']}-",
        "namespace": metadata["namespace"],
        "labels": labels,
        "ownerReferences": [owner_reference(endpoints, "Endpoints", "v1")],
    }
    annotations = {
        name: value for name, value in (metadata.get("annotations") or {}).items() if name not in _NOT_COPIED
    }
    if annotations:
        made["annotations"] = annotations
    return {"metadata": made, "addressType": family, "ports": ports, "endpoints": []}


def _endpoint(address: Object, *, ready: bool) -> Object:
    copied = {field: address[field] for field in _COPIED if address.get(field)}
    return {"addresses": [address["ip"]], "conditions": {"ready": ready}, **copied}


def _told(found: Object) -> Object:
    """Return what a slice's metadata has of the Endpoints object's."""
    metadata = found["metadata"]
    return {name: metadata[name] for name in ("labels", "annotations") if metadata.get(name)}


def _is_same(found: Object, content: Object) -> bool:
    return _told(found) == _told(content) and (found.get("endpoints") or []) == content["endpoints"]


def _is_mirrored(service: Object, endpoints: Object) -> bool:
    """Return whether nobody else makes slices for a Service with these Endpoints."""
    labels, annotations = (endpoints["metadata"].get(field) or {} for field in ("labels", "annotations"))
    skipped = labels.get(_SKIP) == "true" or _LEADER in annotations
    return not service["spec"].get("selector") and not skipped
