from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.embedded.api import Object
from kubetour.embedded.clock import rfc3339
from kubetour.embedded.endpoints import EndpointsController
from kubetour.embedded.endpointslice import EndpointSliceController
from kubetour.embedded.endpointslice_packing import MAX_ENDPOINTS, pack
from kubetour.embedded.garbagecollector import GarbageCollector
from tests.embedded.controlplane import ControlPlane, pod, scenario, service

PORT = {"name": "", "protocol": "TCP", "port": 8080}
BOTH = (EndpointSliceController, EndpointsController)


def serve(plane: ControlPlane, name: str, ip: str, *, ready: bool = True, **spec: Any) -> Object:
    plane.registry.create("pods", pod(name, labels={"app": "web"}, nodeName="node-1", **spec))
    return set_ready(plane, name, ready, ip)


def set_ready(plane: ControlPlane, name: str, ready: bool, ip: str) -> Object:
    stored = plane.get("pods", name)
    condition = {
        "type": "Ready",
        "status": "True" if ready else "False",
        "lastTransitionTime": rfc3339(plane.clock.now()),
        "lastProbeTime": None,
    }
    stored["status"] |= {
        "phase": "Running",
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "conditions": [condition],
    }
    return plane.registry.update("pods", stored, subresource="status")


def endpoints(plane: ControlPlane) -> dict[str, tuple[bool, bool, bool]]:
    return {
        endpoint["addresses"][0]: tuple(
            endpoint["conditions"][key] for key in ("ready", "serving", "terminating")
        )
        for found in plane.items("endpointslices")
        for endpoint in found.get("endpoints") or ()
    }


@scenario(*BOTH)
async def test_a_slice_has_the_fields_of_a_real_one(plane: ControlPlane) -> None:
    stored = plane.registry.create("services", service())
    made = serve(plane, "a", "127.64.0.2")
    await plane.settle()
    (found,) = plane.items("endpointslices")
    metadata = found.pop("metadata")
    assert metadata["generateName"] == "web-"
    assert metadata["labels"] == {
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        "kubernetes.io/service-name": "web",
    }
    assert metadata["annotations"] == {
        "endpoints.kubernetes.io/last-change-trigger-time": "2026-01-02T03:04:05Z"
    }
    assert metadata["ownerReferences"] == [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "name": "web",
            "uid": stored["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    target = {"kind": "Pod", "namespace": "default", "name": "a", "uid": made["metadata"]["uid"]}
    assert found == {
        "kind": "EndpointSlice",
        "apiVersion": "discovery.k8s.io/v1",
        "addressType": "IPv4",
        "ports": [PORT],
        "endpoints": [
            {
                "addresses": ["127.64.0.2"],
                "conditions": {"ready": True, "serving": True, "terminating": False},
                "targetRef": target,
                "nodeName": "node-1",
            }
        ],
    }
    (legacy,) = plane.items("endpoints")
    assert legacy["metadata"]["labels"] == {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}
    assert legacy["subsets"] == [
        {
            "addresses": [{"ip": "127.64.0.2", "nodeName": "node-1", "targetRef": target}],
            "ports": [{"port": 8080, "protocol": "TCP"}],
        }
    ]


@scenario(*BOTH)
async def test_endpoints_follow_readiness_and_termination(plane: ControlPlane) -> None:
    plane.registry.create("services", service())
    for name, ip in (("a", "127.64.0.2"), ("b", "127.64.0.3"), ("c", "127.64.0.4")):
        serve(plane, name, ip)
    await plane.settle()
    plane.clock.advance(5)
    set_ready(plane, "b", False, "127.64.0.3")
    await plane.settle()
    (found,) = plane.items("endpointslices")
    assert found["metadata"]["annotations"]["endpoints.kubernetes.io/last-change-trigger-time"].endswith(
        "04:10Z"
    )
    plane.registry.delete("pods", "c", "default")
    await plane.settle()
    assert endpoints(plane) == {
        "127.64.0.2": (True, True, False),
        "127.64.0.3": (False, False, False),
        "127.64.0.4": (False, True, True),
    }
    (found,) = plane.items("endpointslices")
    assert "annotations" not in found["metadata"]
    (legacy,) = plane.items("endpoints")
    (subset,) = legacy["subsets"]
    assert [item["ip"] for item in subset["addresses"]] == ["127.64.0.2"]
    assert [item["ip"] for item in subset["notReadyAddresses"]] == ["127.64.0.3"]
    plane.registry.delete("pods", "c", "default", grace_period_seconds=0)
    await plane.settle()
    assert "127.64.0.4" not in endpoints(plane)


@scenario(*BOTH)
async def test_publish_not_ready_addresses_makes_all_ready(plane: ControlPlane) -> None:
    plane.registry.create("services", service(publishNotReadyAddresses=True))
    serve(plane, "a", "127.64.0.2", ready=False)
    await plane.settle()
    assert endpoints(plane) == {"127.64.0.2": (True, False, False)}
    (legacy,) = plane.items("endpoints")
    assert [item["ip"] for item in legacy["subsets"][0]["addresses"]] == ["127.64.0.2"]


@scenario(*BOTH)
async def test_a_named_port_is_looked_up_in_each_pod(plane: ControlPlane) -> None:
    ports = [{"name": "http", "port": 80, "targetPort": "web"}]
    plane.registry.create("services", service(ports=ports))
    for name, ip, number in (("a", "127.64.0.2", 8080), ("b", "127.64.0.3", 9090)):
        container = {"name": "c", "image": "i:1", "ports": [{"name": "web", "containerPort": number}]}
        serve(plane, name, ip, containers=[container])
    serve(plane, "without", "127.64.0.4")
    await plane.settle()
    slices = plane.items("endpointslices")
    assert sorted(found["ports"][0]["port"] for found in slices) == [8080, 9090]
    assert set(endpoints(plane)) == {"127.64.0.2", "127.64.0.3"}
    assert len(plane.items("endpoints")[0]["subsets"]) == 2


@scenario(*BOTH)
async def test_a_service_without_pods_has_one_empty_slice_which_is_used_later(plane: ControlPlane) -> None:
    plane.registry.create("services", service())
    await plane.settle()
    (empty,) = plane.items("endpointslices")
    assert not empty.get("endpoints")
    serve(plane, "a", "127.64.0.2")
    await plane.settle()
    (filled,) = plane.items("endpointslices")
    assert filled["metadata"]["name"] == empty["metadata"]["name"]


@pytest.mark.parametrize(
    "spec",
    [{"selector": None}, {"type": "ExternalName", "externalName": "example.com"}],
    ids=["without selector", "external"],
)
@scenario(*BOTH)
async def test_services_whose_endpoints_others_make_are_left_alone(plane: ControlPlane, spec: Object) -> None:
    plane.registry.create("services", service(**spec))
    await plane.settle()
    assert plane.items("endpointslices") == []
    assert plane.items("endpoints") == []


@scenario(*BOTH)
async def test_a_headless_service_says_so_and_names_hosts(plane: ControlPlane) -> None:
    plane.registry.create("services", service(clusterIP="None"))
    serve(plane, "a", "127.64.0.2", hostname="first", subdomain="web")
    await plane.settle()
    (found,) = plane.items("endpointslices")
    assert found["metadata"]["labels"]["service.kubernetes.io/headless"] == ""
    assert found["endpoints"][0]["hostname"] == "first"


@scenario(*BOTH)
async def test_endpoints_go_with_their_service(plane: ControlPlane) -> None:
    plane.registry.create("services", service())
    await plane.settle()
    plane.registry.delete("services", "web", "default")
    await plane.settle()
    assert plane.items("endpoints") == []


@scenario(*BOTH, GarbageCollector)
async def test_a_service_deleted_in_the_foreground_gets_no_new_slice_and_goes(plane: ControlPlane) -> None:
    plane.registry.create("services", service())
    await plane.settle()
    plane.registry.delete("services", "web", "default", propagation_policy="Foreground")
    await plane.settle()
    assert plane.items("services") == []
    assert plane.items("endpointslices") == []


@scenario(*BOTH)
async def test_a_slice_someone_deletes_or_edits_comes_back(plane: ControlPlane) -> None:
    plane.registry.create("services", service())
    serve(plane, "a", "127.64.0.2")
    await plane.settle()
    (found,) = plane.items("endpointslices")
    plane.registry.patch("endpointslices", found["metadata"]["name"], {"endpoints": []}, "default")
    await plane.settle()
    assert "127.64.0.2" in endpoints(plane)
    plane.registry.delete("endpointslices", found["metadata"]["name"], "default")
    await plane.settle()
    assert "127.64.0.2" in endpoints(plane)


def endpoint(number: int) -> Object:
    return {"addresses": [f"10.0.{number // 250}.{number % 250}"], "targetRef": {"uid": str(number)}}


@given(
    wanted=st.sets(st.integers(0, 400), max_size=350),
    present=st.lists(st.sets(st.integers(0, 400), max_size=MAX_ENDPOINTS), max_size=5),
)
def test_packing_places_each_endpoint_once_and_moves_none(wanted: set[int], present: list[set[int]]) -> None:
    seen: set[int] = set()
    slices = []
    for members in present:
        slices.append(([PORT], [endpoint(number) for number in sorted(members - seen)]))
        seen |= members
    result = pack([([PORT], endpoint(number)) for number in sorted(wanted)], slices)
    placed = [one["targetRef"]["uid"] for content in result if content for one in content[1]]
    assert sorted(map(int, placed)) == sorted(wanted)
    assert all(len(content[1]) <= MAX_ENDPOINTS for content in result if content)
    assert any(content is not None for content in result)
    for (_, before), content in zip(slices, result, strict=False):
        kept = [one["targetRef"]["uid"] for one in before if int(one["targetRef"]["uid"]) in wanted]
        after = [one["targetRef"]["uid"] for one in content[1]] if content else []
        assert after[: len(kept)] == kept


def test_a_new_endpoint_goes_into_a_slice_that_changes_anyway() -> None:
    full = [endpoint(number) for number in range(60)]
    changing = [endpoint(number) for number in range(100, 150)]
    wanted = [*full, *changing[1:], endpoint(200)]
    result = pack([([PORT], one) for one in wanted], [([PORT], full), ([PORT], changing)])
    assert result == [([PORT], full), ([PORT], [*changing[1:], endpoint(200)])]
