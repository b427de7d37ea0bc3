"""Kubernetes objects in the shape a v1.36 API server gives them, cut down to what a check may read."""

from __future__ import annotations

from typing import Any

from kubetour.checks import Change, Object, Observation, Result
from kubetour.project import NODE_OWNED_BY, OWNED_BY, OWNER

OURS = {OWNED_BY: OWNER}
OUR_NODE = {NODE_OWNED_BY: OWNER}


def metadata(name: str, labels: dict[str, str] | None, uid: str = "", owner: str = "") -> dict[str, Any]:
    """Return an object's metadata; `owner` is the uid of its controller."""
    found: dict[str, Any] = {"name": name, "uid": uid or f"uid-{name}", "labels": labels or {}}
    if owner:
        found["ownerReferences"] = [
            {
                "apiVersion": "apps/v1",
                "kind": "ReplicaSet",
                "name": "owner",
                "uid": owner,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]
    return found


def pod(
    name: str,
    labels: dict[str, str] | None = None,
    *,
    ready: bool = True,
    owner: str = "",
    node: str = "node-1",
    image: str = "web:1",
    terminating: bool = False,
    phase: str = "Running",
) -> dict[str, Any]:
    """Return a Pod; one that is being deleted still is Ready at first, as its containers still run."""
    item: dict[str, Any] = {
        "kind": "Pod",
        "metadata": metadata(name, labels, owner=owner),
        "spec": {"containers": [{"name": "web", "image": image}], "nodeName": node},
        "status": {
            "phase": phase,
            "podIP": "10.244.0.27",
            "conditions": [
                {"type": "PodScheduled", "status": "True"},
                {"type": "Ready", "status": "True" if ready else "False"},
            ],
            "containerStatuses": [
                {
                    "name": "web",
                    "image": f"docker.io/library/{image}",
                    "ready": ready,
                    "restartCount": 0,
                    "state": {"running": {"startedAt": "2026-11-23T13:29:00Z"}},
                    "lastState": {},
                }
            ],
        },
    }
    if terminating:
        item["metadata"]["deletionTimestamp"] = "2026-11-23T13:29:13Z"
    return item


def deployment(
    name: str = "web",
    replicas: int = 3,
    *,
    image: str = "web:1",
    observed: int | None = None,
    updated: int | None = None,
    available: int | None = None,
    generation: int = 2,
    observed_generation: int | None = None,
) -> dict[str, Any]:
    """Return a Deployment, by default one that is as declared."""
    counts = {
        "replicas": replicas if observed is None else observed,
        "updatedReplicas": replicas if updated is None else updated,
        "readyReplicas": replicas if available is None else available,
        "availableReplicas": replicas if available is None else available,
    }
    return {
        "kind": "Deployment",
        "metadata": {**metadata(name, {"app": name}), "generation": generation},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"spec": {"containers": [{"name": name, "image": image}]}},
        },
        "status": {
            "observedGeneration": generation if observed_generation is None else observed_generation,
            # The API leaves out a count of zero.
            **{key: count for key, count in counts.items() if count},
        },
    }


def replicaset(name: str = "web-1", replicas: int = 3, owner: str = "uid-web") -> dict[str, Any]:
    """Return a ReplicaSet, whose controller is the Deployment of that uid."""
    return {
        "kind": "ReplicaSet",
        "metadata": metadata(name, {"app": "web"}, owner=owner),
        "spec": {"replicas": replicas},
    }


def service(name: str = "web", selector: dict[str, str] | None = None, **status: Any) -> dict[str, Any]:
    """Return a Service of type LoadBalancer; `ingress` is what a load balancer's controller fills in."""
    return {
        "kind": "Service",
        "metadata": metadata(name, {"app": name}),
        "spec": {
            "type": "LoadBalancer",
            "clusterIP": "10.96.0.7",
            "selector": selector or {"app": name},
            "ports": [{"name": "http", "port": 8080, "targetPort": "http", "nodePort": 30080}],
        },
        "status": {"loadBalancer": status},
    }


def slices(
    service: str, *names: str, unready: tuple[str, ...] = (), silent: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return a Service's EndpointSlice; of the `silent` Pods it gives no condition, which means ready."""
    conditions: list[tuple[str, dict[str, bool]]] = [
        *((name, {"ready": True, "serving": True, "terminating": False}) for name in names),
        *((name, {"ready": False, "serving": False, "terminating": False}) for name in unready),
        *((name, {}) for name in silent),
    ]
    return {
        "kind": "EndpointSlice",
        "metadata": metadata(f"{service}-abcde", {"kubernetes.io/service-name": service}),
        "addressType": "IPv4",
        "endpoints": [
            {
                "addresses": ["10.244.0.27"],
                "conditions": state,
                "targetRef": {"kind": "Pod", "name": name, "uid": f"uid-{name}"},
            }
            for name, state in conditions
        ],
    }


def node(
    name: str = "node-1", *, ready: str = "True", labels: dict[str, str] | None = None
) -> dict[str, Any]:
    """Return a Node; `ready` is the status of its condition: True, False or Unknown."""
    return {
        "kind": "Node",
        "metadata": metadata(name, OUR_NODE if labels is None else labels),
        "status": {
            "allocatable": {"cpu": "2", "memory": "4015348Ki", "pods": "110"},
            "conditions": [
                {"type": "MemoryPressure", "status": "False"},
                {"type": "Ready", "status": ready, "message": "container runtime network not ready"},
            ],
        },
    }


def event(
    about: str, reason: str, second: int = 0, kind: str = "Normal", message: str = ""
) -> dict[str, Any]:
    """Return an event about a Pod, in the form the kubelet writes: no eventTime, but timestamps."""
    stamp = f"2026-11-23T13:25:{second:02}Z"
    return {
        "kind": "Event",
        "metadata": {**metadata(f"{about}.{reason}", None), "creationTimestamp": stamp},
        "involvedObject": {"kind": "Pod", "name": about, "uid": f"uid-{about}"},
        "reason": reason,
        "message": message,
        "type": kind,
        "eventTime": None,
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
    }


def seen(*items: Object, results: tuple[Result, ...] = (), confirmed: tuple[Result, ...] = ()) -> Observation:
    """Return an Observation of these objects, each filed under its plural name."""
    objects: dict[str, tuple[Object, ...]] = {}
    for item in items:
        plural = str(item["kind"]).lower() + "s"
        objects[plural] = (*objects.get(plural, ()), item)
    return Observation(results, confirmed, objects)


def change(at: float, item: Object, what: str = "MODIFIED") -> Change:
    """Return what a watch told of an object, so many seconds after a step's first command began."""
    return Change(at, f"{str(item['kind']).lower()}s", what, item)


def lived(*changes: Change, results: tuple[Result, ...] = ()) -> Observation:
    """Return the Observation of a recorded step that was told all this, with the objects that are left."""
    left: dict[str, dict[str, Object]] = {}
    for told in changes:
        store = left.setdefault(told.resource, {})
        store[told.object["metadata"]["uid"]] = told.object
        if told.event == "DELETED":
            del store[told.object["metadata"]["uid"]]
    objects = {resource: tuple(store.values()) for resource, store in left.items()}
    return Observation(results, objects=objects, changes=changes)
