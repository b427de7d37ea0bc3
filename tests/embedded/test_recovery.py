from __future__ import annotations

from typing import Any

from kubetour.embedded.api import Object
from kubetour.embedded.endpointslice import EndpointSliceController
from kubetour.embedded.podutil import is_ready
from kubetour.embedded.recovery import forget_readiness
from tests.embedded.controlplane import ControlPlane, scenario, service
from tests.embedded.test_endpointslice import serve

THEIRS: dict[str, Any] = {
    "metadata": {"name": "theirs", "namespace": "default"},
    "addressType": "IPv4",
    "ports": [{"name": "", "port": 80}],
    "endpoints": [{"addresses": ["192.0.2.7"], "conditions": {"ready": True}}],
}


def conditions(plane: ControlPlane, name: str) -> list[Object]:
    (found,) = [
        item
        for item in plane.registry.list("endpointslices").items
        if item["metadata"].get("generateName") == f"{name}-" or item["metadata"]["name"] == name
    ]
    return [endpoint["conditions"] for endpoint in found["endpoints"]]


@scenario(EndpointSliceController)
async def test_nobody_vouches_for_pods_whose_server_has_ended(plane: ControlPlane) -> None:
    plane.registry.create("services", service())
    serve(plane, "a", "127.1.0.1")
    serve(plane, "b", "127.1.0.2", ready=False)
    await plane.settle()
    plane.registry.create("endpointslices", THEIRS)
    assert sorted(item["ready"] for item in conditions(plane, "web")) == [False, True]

    before = plane.get("pods", "b")
    forget_readiness(plane.registry, plane.clock.now())
    assert [is_ready(plane.get("pods", name)) for name in "ab"] == [False, False]
    assert plane.get("pods", "b") == before
    assert conditions(plane, "web") == [{"ready": False, "serving": False, "terminating": False}] * 2
    assert conditions(plane, "theirs") == [{"ready": True}], "what others have made stays"
