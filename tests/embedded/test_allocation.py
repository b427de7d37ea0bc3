"""Addresses and ports of Services: to the last one, and no further."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from kubetour.embedded import allocation
from kubetour.embedded.allocation import Allocator
from kubetour.embedded.api import StatusError

RANDOM = Random(1)  # noqa: S311 -- the same choices every time


def service(number: int, **spec: Any) -> Any:
    ports = [{"port": 80, "protocol": "TCP"}]
    return {"metadata": {"uid": str(number)}, "spec": {"type": "ClusterIP", "ports": ports, **spec}}


def test_a_full_range_of_addresses_is_an_error_that_says_so() -> None:
    allocator = Allocator("127.64.128.1", "127.64.128.40", RANDOM)
    taken = [service(number) for number in range(24)]
    for made in taken:
        assert allocator.allocate(made, taken) == []
    assert len({made["spec"]["clusterIP"] for made in taken}) == 24
    # The first sixteen are kept for those who ask by number.
    with pytest.raises(StatusError, match=r"the range 127\.64\.128\.1-127\.64\.128\.40 is full"):
        allocator.allocate(service(24), taken)


def test_an_address_asked_for_by_number_may_be_any_of_the_range() -> None:
    allocator = Allocator("127.64.128.1", "127.64.128.40", RANDOM)
    made = service(1, clusterIP="127.64.128.3")
    assert allocator.allocate(made, []) == []
    (error,) = allocator.allocate(service(2, clusterIP="127.64.128.3"), [made])
    assert str(error) == (
        'spec.clusterIPs: Invalid value: ["127.64.128.3"]: failed to allocate IP 127.64.128.3: '
        "provided IP is already allocated"
    )


def test_node_ports_run_out_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocation, "NODE_PORTS", range(30000, 30002))
    allocator = Allocator("127.64.128.1", "127.64.254.254", RANDOM)
    full = service(1, type="NodePort", ports=[{"port": n, "protocol": "TCP"} for n in (1, 2)])
    assert allocator.allocate(full, []) == []
    assert sorted(port["nodePort"] for port in full["spec"]["ports"]) == [30000, 30001]
    with pytest.raises(StatusError, match="range is full"):
        allocator.allocate(service(2, type="NodePort"), [full])


def test_one_number_serves_two_protocols() -> None:
    allocator = Allocator("127.64.128.1", "127.64.254.254", RANDOM)
    ports = [
        {"port": 53, "protocol": "TCP", "nodePort": 30053},
        {"port": 53, "protocol": "UDP", "nodePort": 30053},
    ]
    assert allocator.allocate(service(1, type="NodePort", ports=ports), []) == []


def test_a_headless_service_may_have_no_ports_that_others_could_take() -> None:
    headless = service(1, clusterIP="None")
    del headless["spec"]["ports"]
    assert (
        Allocator("127.64.128.1", "127.64.128.40", RANDOM).allocate(service(2, type="NodePort"), [headless])
        == []
    )
