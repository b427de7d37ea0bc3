"""What a server that starts again does not go on believing: that its Pods are ready.

Their processes have ended with the server before. Until each has been started and probed again, nobody
vouches for it, as for the Pods of a node that is silent (nodelifecycle.py). Else a proxy would lead to a Pod
that its kubelet is about to call not ready, and requests would be lost although one had been answered before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetour.embedded.clock import rfc3339
from kubetour.embedded.endpoints_util import MANAGED_BY
from kubetour.embedded.endpointslice import MANAGER
from kubetour.embedded.podutil import condition, is_ready
from kubetour.embedded.resources import by_plural

if TYPE_CHECKING:
    from datetime import datetime

    from kubetour.embedded.api import Object
    from kubetour.embedded.registry import Registry


def forget_readiness(registry: Registry, now: datetime) -> None:
    """Make every Pod, and every endpoint that our controller made of one, not ready."""

    def unready(pod: Object) -> Object:
        for kind in ("Ready", "ContainersReady"):
            if (found := condition(pod, kind)) and found["status"] == "True":
                found |= {"status": "False", "lastTransitionTime": rfc3339(now)}
        return pod

    for pod in filter(is_ready, registry.list("pods").items):
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        registry.modify(by_plural("pods"), name, namespace, unready, subresource="status")
    for found in registry.list("endpointslices", labels=f"{MANAGED_BY}={MANAGER}").items:
        name, namespace = found["metadata"]["name"], found["metadata"]["namespace"]
        registry.modify(by_plural("endpointslices"), name, namespace, _without_ready_endpoints)


def _without_ready_endpoints(found: Object) -> Object:
    for endpoint in found.get("endpoints") or ():
        if (endpoint.get("targetRef") or {}).get("kind") == "Pod":
            endpoint["conditions"] = {**(endpoint.get("conditions") or {}), "ready": False, "serving": False}
    return found
