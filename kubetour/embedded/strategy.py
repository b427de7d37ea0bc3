"""What each kind does to an object before it is stored: which parts a writer may set, and the first status.

Kubernetes calls these the rest.RESTCreateStrategy and RESTUpdateStrategy of a resource.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.qos import qos_class
from kubetour.embedded.resources import STATUS, Resource

# Set by the system, once; what a writer says of them is ignored.
_SYSTEM_METADATA = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "generateName",
)
_TYPE = ("kind", "apiVersion", "metadata")
_LABELS_WITH_STATUS = ("pods", "nodes")


def prepare_for_create(resource: Resource, obj: Object) -> None:
    """Drop what only the system sets, begin the generation and give the first status."""
    metadata = obj["metadata"]
    for field in ("deletionTimestamp", "deletionGracePeriodSeconds", "generation"):
        metadata.pop(field, None)
    if resource.generation:
        metadata["generation"] = 1
    # A kubelet registers its Node with a status; of everything else a controller writes it first.
    if STATUS in resource.subresources and resource.plural != "nodes":
        obj.pop("status", None)
        obj["status"] = _FIRST_STATUS.get(resource.plural, _empty)(obj)
    if resource.plural == "namespaces":
        metadata.setdefault("labels", {})["kubernetes.io/metadata.name"] = metadata.get("name", "")
        obj["spec"] = {"finalizers": ["kubernetes"]}


def _empty(_: Object) -> Object:
    return {}


def _first_of_pod(spec: Object) -> Object:
    status = {"phase": "Pending", "qosClass": qos_class(spec)}
    return {**status, "conditions": [_GATED]} if spec.get("schedulingGates") else status


_GATED = {
    "type": "PodScheduled",
    "status": "False",
    "lastProbeTime": None,
    "lastTransitionTime": None,
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}
# Beside what the API server sets: numbers that the kinds' Go structs always write, 0 included.
_FIRST_STATUS: dict[str, Callable[[Object], Object]] = {
    "pods": lambda pod: _first_of_pod(pod.get("spec") or {}),
    "services": lambda _: {"loadBalancer": {}},
    "namespaces": lambda _: {"phase": "Active"},
    "poddisruptionbudgets": lambda _: {
        "disruptionsAllowed": 0,
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "expectedPods": 0,
    },
    "ingresses": lambda _: {"loadBalancer": {}},
    "persistentvolumeclaims": lambda _: {"phase": "Pending"},
    "persistentvolumes": lambda _: {"phase": "Pending"},
    "replicasets": lambda _: {"replicas": 0},
    "replicationcontrollers": lambda _: {"replicas": 0},
    "statefulsets": lambda _: {"replicas": 0, "availableReplicas": 0},
    "daemonsets": lambda _: {
        "currentNumberScheduled": 0,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 0,
        "numberReady": 0,
    },
    "horizontalpodautoscalers": lambda _: {"desiredReplicas": 0, "currentMetrics": None},
}


def prepare_for_update(resource: Resource, new: Object, old: Object, subresource: str) -> Object:
    """Return the object to store: what this subresource may write from `new`, the rest from `old`."""
    if subresource == "status":
        result = _status_update(resource, new, old)
    elif subresource == "finalize":
        result = {**old, "metadata": dict(old["metadata"]), "spec": new.get("spec") or {}}
    else:
        result = {**new, "metadata": dict(new["metadata"])}
        if STATUS in resource.subresources:
            result.pop("status", None)
            if "status" in old:
                result["status"] = old["status"]
        if resource.plural == "namespaces":
            result["spec"] = old.get("spec") or {}
    for field in _SYSTEM_METADATA:
        result["metadata"].pop(field, None)
        if field in old["metadata"]:
            result["metadata"][field] = old["metadata"][field]
    if resource.generation and not subresource and _wanted(resource, result) != _wanted(resource, old):
        result["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
    return result


def _status_update(resource: Resource, new: Object, old: Object) -> Object:
    """A status writer may annotate too: the deployment controller keeps its revision in an annotation."""
    metadata = dict(old["metadata"])
    written = ("annotations", "labels") if resource.plural in _LABELS_WITH_STATUS else ("annotations",)
    for field in written:
        metadata.pop(field, None)
        if field in new["metadata"]:
            metadata[field] = new["metadata"][field]
    result = {**old, "metadata": metadata}
    result.pop("status", None)
    if "status" in new:
        result["status"] = new["status"]
    if resource.plural == "pods" and not result.get("status", {}).get("qosClass"):
        result["status"] = {**result.get("status", {}), "qosClass": qos_class(result["spec"])}
    if resource.plural == "services":
        for point in (result.get("status", {}).get("loadBalancer") or {}).get("ingress") or []:
            if point.get("ip"):
                point.setdefault("ipMode", "VIP")
    return result


def _wanted(resource: Resource, obj: Object) -> Object:
    """Return what the generation counts changes of."""
    wanted = {key: value for key, value in obj.items() if key not in (*_TYPE, "status")}
    # A Deployment's annotations are copied to its ReplicaSets, so they are part of what is wanted of it.
    if resource.plural == "deployments":
        wanted["annotations"] = obj["metadata"].get("annotations")
    if resource.plural == "endpointslices":
        wanted["labels"] = obj["metadata"].get("labels")
    return wanted


def complete(resource: Resource, new: Object, old: Object | None) -> None:
    """Fill in what follows from the object itself or from what was allocated to it before."""
    completion = _COMPLETIONS.get(resource.plural)
    if completion:
        completion(new, old)


def _complete_service(new: Object, old: Object | None) -> None:
    """Keep addresses and ports that an update does not name; drop those the type has no use for."""
    spec, before = new["spec"], (old or {}).get("spec") or {}
    node_ports = spec["type"] in ("NodePort", "LoadBalancer")
    if spec["type"] != "ExternalName":
        if spec.get("clusterIP") and spec.get("clusterIPs") == before.get("clusterIPs"):
            spec["clusterIPs"] = [spec["clusterIP"]]  # whoever changes the one means both
        for field in ("clusterIP", "clusterIPs"):
            if not spec.get(field) and before.get(field):
                spec[field] = before[field]
    elif before.get("type") not in (None, "ExternalName"):
        for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"):
            spec.pop(field, None)
    if before and not node_ports:
        spec.pop("externalTrafficPolicy", None)
    if before and spec["type"] != "LoadBalancer":
        spec.pop("allocateLoadBalancerNodePorts", None)
        new["status"] = {**new.get("status", {}), "loadBalancer": {}}
    held = {(port.get("protocol"), port["port"]): port.get("nodePort") for port in before.get("ports") or []}
    asked = {port.get("nodePort") for port in spec.get("ports") or []}
    for port in spec.get("ports") or []:
        if not node_ports and before.get("type") in ("NodePort", "LoadBalancer"):
            port.pop("nodePort", None)
        elif node_ports and not port.get("nodePort"):
            kept = held.get((port.get("protocol"), port.get("port")))
            if kept and kept not in asked:
                port["nodePort"] = kept


def _complete_secret(new: Object, _: Object | None) -> None:
    """`stringData` is only for writing: its values join `data`, encoded."""
    for key, value in new.pop("stringData", {}).items():
        new.setdefault("data", {})[key] = base64.b64encode(value.encode()).decode()


def _complete_job(new: Object, old: Object | None) -> None:
    """A Job selects its Pods by its own uid unless it says that its selector is its own affair."""
    spec = new["spec"]
    if old or spec.get("manualSelector") or "template" not in spec:
        return
    uid, prefix = new["metadata"]["uid"], "batch.kubernetes.io/"
    labels = spec["template"]["metadata"].setdefault("labels", {})
    for key, value in (("controller-uid", uid), ("job-name", new["metadata"].get("name", ""))):
        labels.setdefault(f"{prefix}{key}", value)
        labels.setdefault(key, value)
    wanted = spec.setdefault("selector", {}).setdefault("matchLabels", {})
    wanted.setdefault(f"{prefix}controller-uid", uid)


_COMPLETIONS: dict[str, Callable[[Object, Object | None], None]] = {
    "jobs": _complete_job,
    "secrets": _complete_secret,
    "services": _complete_service,
}


def bind(pod: Object, node: str, now: str) -> Object:
    """Return the Pod assigned to a node; 409 if it is assigned already or on its way out."""
    name, spec = pod["metadata"]["name"], pod["spec"]
    if "deletionTimestamp" in pod["metadata"]:
        raise _binding_conflict(name, f"pod {name} is being deleted, cannot be assigned to a host")
    if spec.get("nodeName"):
        raise _binding_conflict(name, f'pod {name} is already assigned to node "{spec["nodeName"]}"')
    spec["nodeName"] = node
    status = pod.setdefault("status", {})
    kept = [condition for condition in status.get("conditions") or [] if condition["type"] != "PodScheduled"]
    scheduled = {
        "type": "PodScheduled",
        "observedGeneration": pod["metadata"].get("generation", 1),
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": now,
    }
    status["conditions"] = [*kept, scheduled]
    return pod


def _binding_conflict(name: str, why: str) -> StatusError:
    message = f'Operation cannot be fulfilled on pods/binding "{name}": {why}'
    return StatusError(409, "Conflict", message, {"name": name, "kind": "pods/binding"})
