from __future__ import annotations

import pytest

from kubetour.embedded.api import Object
from kubetour.embedded.endpoints import EndpointsController
from kubetour.embedded.endpointslice import EndpointSliceController
from kubetour.embedded.endpointslicemirroring import MANAGER, EndpointSliceMirroringController
from tests.embedded.controlplane import ControlPlane, scenario, service

ALL = (EndpointSliceController, EndpointsController, EndpointSliceMirroringController)
NODE = {"ip": "192.0.2.1", "nodeName": "node-1", "hostname": "one"}
SUBSET = {"addresses": [NODE], "notReadyAddresses": [{"ip": "192.0.2.2"}], "ports": [{"port": 9376}]}


def without_selector() -> Object:
    made = service()
    del made["spec"]["selector"]
    return made


def endpoints(*subsets: Object, **metadata: Object) -> Object:
    return {"metadata": {"name": "web", "namespace": "default", **metadata}, "subsets": list(subsets)}


def mirrored(plane: ControlPlane) -> list[Object]:
    label = "endpointslice.kubernetes.io/managed-by"
    return [each for each in plane.items("endpointslices") if each["metadata"]["labels"][label] == MANAGER]


@scenario(*ALL)
async def test_endpoints_made_by_hand_are_mirrored_with_all_they_say(plane: ControlPlane) -> None:
    plane.registry.create("services", without_selector())
    applied = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "note": "kept"}
    stored = plane.registry.create("endpoints", endpoints(SUBSET, labels={"a": "b"}, annotations=applied))
    await plane.settle()
    (found,) = mirrored(plane)
    metadata = found["metadata"]
    assert metadata["generateName"] == "web-"
    assert metadata["labels"] == {
        "a": "b",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": MANAGER,
    }
    assert metadata["annotations"] == {"note": "kept"}
    (owner,) = metadata["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == (
        "Endpoints",
        stored["metadata"]["uid"],
        True,
    )
    assert found["addressType"] == "IPv4"
    assert found["ports"] == [{"name": "", "port": 9376, "protocol": "TCP"}]
    assert found["endpoints"] == [
        {
            "addresses": ["192.0.2.1"],
            "conditions": {"ready": True},
            "nodeName": "node-1",
            "hostname": "one",
        },
        {"addresses": ["192.0.2.2"], "conditions": {"ready": False}},
    ]


@scenario(*ALL)
async def test_each_family_of_addresses_and_each_set_of_ports_has_a_slice(plane: ControlPlane) -> None:
    plane.registry.create("services", without_selector())
    both = {"addresses": [{"ip": "192.0.2.1"}, {"ip": "2001:db8::1"}], "ports": [{"port": 80}]}
    other = {"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 81}]}
    plane.registry.create("endpoints", endpoints(both, other))
    await plane.settle()
    found = sorted((each["addressType"], each["ports"][0]["port"]) for each in mirrored(plane))
    assert found == [("IPv4", 80), ("IPv4", 81), ("IPv6", 80)]


@scenario(*ALL)
async def test_a_change_of_the_endpoints_changes_their_slice(plane: ControlPlane) -> None:
    plane.registry.create("services", without_selector())
    stored = plane.registry.create("endpoints", endpoints(SUBSET))
    await plane.settle()
    (before,) = mirrored(plane)
    plane.registry.update("endpoints", {**stored, "subsets": [{**SUBSET, "notReadyAddresses": []}]})
    await plane.settle()
    (after,) = mirrored(plane)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert [each["addresses"] for each in after["endpoints"]] == [["192.0.2.1"]]


@scenario(*ALL)
async def test_a_slice_that_somebody_deletes_or_changes_is_as_it_was_again(plane: ControlPlane) -> None:
    plane.registry.create("services", without_selector())
    plane.registry.create("endpoints", endpoints(SUBSET))
    await plane.settle()
    (found,) = mirrored(plane)
    plane.registry.update("endpointslices", {**found, "endpoints": []})
    await plane.settle()
    (again,) = mirrored(plane)
    assert again["endpoints"] == found["endpoints"]
    plane.registry.delete("endpointslices", found["metadata"]["name"], "default")
    await plane.settle()
    assert [each["endpoints"] for each in mirrored(plane)] == [found["endpoints"]]


async def service_gone(plane: ControlPlane) -> None:
    plane.registry.delete("services", "web", "default")


async def endpoints_gone(plane: ControlPlane) -> None:
    plane.registry.delete("endpoints", "web", "default")


async def selector_given(plane: ControlPlane) -> None:
    plane.registry.patch("services", "web", {"spec": {"selector": {"app": "web"}}}, "default")


async def mirroring_refused(plane: ControlPlane) -> None:
    labels = {"endpointslice.kubernetes.io/skip-mirror": "true"}
    plane.registry.patch("endpoints", "web", {"metadata": {"labels": labels}}, "default")


@pytest.mark.parametrize("change", [service_gone, endpoints_gone, selector_given, mirroring_refused])
def test_the_slice_goes_where_it_is_not_wanted_any_more(change: object) -> None:
    @scenario(*ALL)
    async def run(plane: ControlPlane) -> None:
        plane.registry.create("services", without_selector())
        plane.registry.create("endpoints", endpoints(SUBSET))
        await plane.settle()
        assert len(mirrored(plane)) == 1
        await change(plane)  # type: ignore[operator]
        await plane.settle()
        assert mirrored(plane) == []

    run()


@scenario(*ALL)
async def test_endpoints_without_a_service_are_nobodys(plane: ControlPlane) -> None:
    plane.registry.create("endpoints", endpoints(SUBSET))
    await plane.settle()
    assert mirrored(plane) == []
