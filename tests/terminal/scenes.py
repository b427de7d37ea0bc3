"""Clusters in many situations, as objects: what the live picture is tried on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubetour.checks import Object
from kubetour.terminal.live import Traffic
from kubetour.terminal.scene import CONTROL_PLANE, Scene, scene
from tests.shapes import deployment, node, pod, seen, service, slices

NAME = "node-hostname"
HASH = "5d7cbddd68"


def nodes(count: int) -> list[dict[str, Any]]:
    """Return a control plane and workers, in the order in which an API server lists them: by name."""
    names = ["kubetour-worker" + (str(n) if n > 1 else "") for n in range(1, count)]
    plane = node("kubetour-control-plane", labels={CONTROL_PLANE: ""})
    return [plane, *(node(name) for name in sorted(names))]


def a_pod(
    number: int, node: str = "kubetour-worker", *, reason: str = "", phase: str = "Running", **given: Any
) -> dict[str, Any]:
    """Return one of the Deployment's Pods; with a reason, one whose container waits because of it."""
    given = {"ready": not reason and phase == "Running", **given}
    restarts = given.pop("restarts", 0)
    item = pod(f"{NAME}-{HASH}-{number:05}", {"app": NAME}, node=node, phase=phase, **given)
    (container,) = item["status"]["containerStatuses"]
    container["restartCount"] = restarts
    if reason:
        container["state"] = {"waiting": {"reason": reason}}
    if not node:
        del item["spec"]["nodeName"], item["status"]["containerStatuses"]
    item["metadata"]["creationTimestamp"] = f"2026-11-23T13:{number // 60:02}:{number % 60:02}Z"
    return item


def moment(*items: Object) -> Scene:
    """Return the scene of these objects."""
    return scene(seen(*items).objects, NAME)


def steady(nodes_: int, pods: int) -> tuple[Object, ...]:
    """Return so many Pods, all ready, spread over the workers."""
    there = nodes(nodes_)
    workers = [item["metadata"]["name"] for item in there[1:] or there]
    items = [a_pod(n, workers[n % len(workers)]) for n in range(pods)]
    behind = slices(NAME, *(item["metadata"]["name"] for item in items))
    return (*there, *items, service(NAME), behind, deployment(NAME, pods))


def _starting() -> tuple[Object, ...]:
    pods = [
        a_pod(1),
        a_pod(2, "kubetour-worker2", ready=False),
        a_pod(3, "kubetour-worker2", reason="ContainerCreating", phase="Pending"),
        a_pod(4, "", phase="Pending"),
    ]
    names = [item["metadata"]["name"] for item in pods]
    behind = slices(NAME, names[0], unready=(names[1],))
    return (*nodes(3), *pods, service(NAME), behind, deployment(NAME, 4, available=1))


def _failing() -> tuple[Object, ...]:
    pods = [
        a_pod(1),
        a_pod(2, reason="CrashLoopBackOff", restarts=4),
        a_pod(3, reason="ImagePullBackOff", phase="Pending"),
        a_pod(4, "kubetour-worker2", terminating=True),
    ]
    names = [item["metadata"]["name"] for item in pods]
    away = node("kubetour-worker2", ready="Unknown")
    away["spec"] = {"unschedulable": True}
    behind = slices(NAME, names[0], unready=(names[1], names[3]))
    return (*nodes(2), away, *pods, service(NAME), behind, deployment(NAME, 3, available=1))


SITUATIONS: Mapping[str, tuple[Object, ...]] = {
    "nothing yet": tuple(nodes(3)),
    "no Pods": steady(1, 0),
    "steady": steady(3, 3),
    "starting": _starting(),
    "failing": _failing(),
    "nodes may not be seen": tuple(item for item in steady(3, 3) if item["kind"] != "Node"),
    "ten nodes": steady(10, 3),
    "fifty Pods": steady(3, 50),
    "fifty Pods on ten nodes": steady(10, 50),
}


def asked(there: Scene, failed: int = 0) -> Traffic:
    """Return traffic in which each Pod that is an endpoint has answered, the first ones more often."""
    by = {pod.name: 90 - number for number, pod in enumerate(there.pods) if pod.endpoint}
    return Traffic(2, sum(by.values()), failed, by)
