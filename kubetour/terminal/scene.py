"""What the live picture shows of the cluster's objects, as plain values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kubetour import podstatus
from kubetour.checks import Object, Observation
from kubetour.podstatus import Mood
from kubetour.proofs.common import condition, endpoints
from kubetour.terminal.console import harmless

LOOKS = ("nodes", "pods", "services", "endpointslices", "deployments")
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


@dataclass(frozen=True)
class Pod:
    """A Pod: where it is, the columns that kubectl shows, and whether the Service's endpoints have it.

    `endpoint` is whether it is a ready one, None if it is none.
    """

    name: str
    node: str  # "" as long as it is on none
    ready: str
    status: str
    mood: Mood
    restarts: int = 0
    endpoint: bool | None = None

    @property
    def short(self) -> str:
        """Return the end of its name, which no other Pod of its ReplicaSet has."""
        return self.name.rpartition("-")[2]


@dataclass(frozen=True)
class Node:
    """A node, and what kubectl says of it if that is not Ready alone."""

    name: str
    trouble: str = ""


@dataclass(frozen=True)
class Scene:
    """One moment of a workload. `service` is its address, `deployment` how many Pods: declared and ready."""

    name: str
    nodes: tuple[Node, ...] = ()
    pods: tuple[Pod, ...] = ()
    service: str | None = None
    deployment: tuple[int, int] | None = None

    def on(self, node: str) -> tuple[Pod, ...]:
        """Return the Pods of a node."""
        return tuple(pod for pod in self.pods if pod.node == node)


def scene(objects: Mapping[str, tuple[Object, ...]], name: str) -> Scene:
    """Return what there is of the workload of that name: its own Pods, and all that its Service selects.

    A user of one namespace may see no nodes: then those are shown that its Pods are on.
    """
    seen = Observation(objects=objects)
    service, deployment = seen.named("services", name), seen.named("deployments", name)
    selector = (service or {}).get("spec", {}).get("selector") or {}
    behind = dict(endpoints(seen, name))
    selected = {id(item) for item in seen.labelled("pods", selector)} if selector else set()
    pods = tuple(
        _pod(item, behind.get(item["metadata"]["name"]))
        for item in sorted(objects.get("pods", ()), key=_age)
        if _belongs(item, name) or id(item) in selected
    )
    known = {node["metadata"]["name"]: _node(node) for node in sorted(objects.get("nodes", ()), key=_rank)}
    others = sorted({pod.node for pod in pods} - {"", *known}, key=natural)
    return Scene(
        name,
        (*known.values(), *map(Node, others)),
        pods,
        _address(service) if service else None,
        _replicas(deployment) if deployment else None,
    )


def natural(name: str) -> tuple[tuple[str, int], ...]:
    """Return a key that sorts worker2 before worker10."""
    return tuple((text, int(digits or 0)) for text, digits in re.findall(r"(\D*)(\d{0,18})", name))


def _belongs(item: Object, name: str) -> bool:
    own = str(item["metadata"]["name"])
    return own == name or own.startswith(f"{name}-")


def _pod(item: Object, endpoint: bool | None) -> Pod:
    return Pod(
        harmless(item["metadata"]["name"]),
        harmless(item["spec"].get("nodeName") or ""),
        podstatus.ready(item),
        harmless(podstatus.status(item)),
        podstatus.mood(item),
        podstatus.restarts(item),
        endpoint,
    )


def _node(item: Object) -> Node:
    words = [] if condition(item, "Ready") else ["NotReady"]
    if item.get("spec", {}).get("unschedulable"):
        words.append("SchedulingDisabled")
    return Node(harmless(item["metadata"]["name"]), ",".join(words))


def _address(service: Object) -> str:
    spec = service["spec"]
    ports = ",".join(str(port["port"]) for port in spec.get("ports") or ())
    return harmless(f"{spec.get('clusterIP') or '–'}:{ports}")


def _replicas(deployment: Object) -> tuple[int, int]:
    return deployment["spec"].get("replicas", 1), deployment.get("status", {}).get("readyReplicas", 0)


def _age(item: Object) -> tuple[str, str]:
    """Return a key that sorts Pods as they came, so that none changes its place."""
    about = item["metadata"]
    return str(about.get("creationTimestamp", "")), str(about["name"])


def _rank(item: Object) -> tuple[bool, tuple[tuple[str, int], ...]]:
    about = item["metadata"]
    return CONTROL_PLANE not in (about.get("labels") or {}), natural(str(about["name"]))
