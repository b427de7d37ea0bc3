from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.embedded import network
from kubetour.embedded.network import AddressPlan, Network, NetworkError, loopback_range_usable

needs_range = pytest.mark.skipif(not loopback_range_usable(), reason="only 127.0.0.1 is usable here")


@given(st.sampled_from(network.OCTETS), st.integers(0, 127), st.integers(0, 127))
def test_addresses_of_nodes_pods_and_services_never_meet(octet: int, one: int, other: int) -> None:
    plan = AddressPlan(octet)
    first, last = map(ipaddress.IPv4Address, plan.services())
    node = ipaddress.IPv4Address(plan.node(one))
    pods = [ipaddress.IPv4Address(address) for address in plan.pods(other)]
    assert all(address.is_loopback for address in (first, last, node, *pods))
    assert len(set(pods)) == 253
    assert node not in pods
    assert not first <= node <= last
    assert not any(first <= pod <= last for pod in pods)
    assert all(pod in ipaddress.IPv4Network(plan.pod_cidr(other)) for pod in pods)


def test_the_plan_is_the_one_documented() -> None:
    plan = AddressPlan(64)
    assert (plan.node(0), plan.node(2)) == ("127.64.255.1", "127.64.255.3")
    assert next(plan.pods(1)) == "127.64.1.2"
    assert plan.services() == ("127.64.128.1", "127.64.254.254")
    assert plan.kubernetes == "127.64.128.1"


def test_too_many_nodes_are_refused() -> None:
    with pytest.raises(NetworkError, match="room for 128 nodes"):
        AddressPlan(64).node(128)


def test_without_the_range_nodes_and_pods_are_on_127_0_0_1() -> None:
    plan = AddressPlan(0)
    assert (plan.node(3), list(plan.pods(3))) == ("127.0.0.1", ["127.0.0.1"])


@needs_range
def test_an_octet_belongs_to_one_cluster_until_it_is_given_back() -> None:
    first = Network.acquire()
    try:
        octet = first.plan.octet
        assert octet in network.OCTETS
        with pytest.raises(NetworkError, match=f"127.{octet}.0.0/16 of this cluster are in use"):
            Network.acquire(octet)
        second = Network.acquire()
        assert second.plan.octet != octet
        second.close()
    finally:
        first.close()
    again = Network.acquire(octet)
    again.close()
    again.close()


@needs_range
def test_when_all_octets_are_taken_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Network.acquire()
    monkeypatch.setattr(network, "OCTETS", range(held.plan.octet, held.plan.octet + 1))
    try:
        with pytest.raises(NetworkError, match="delete one of them"):
            Network.acquire()
    finally:
        held.close()


def test_a_machine_with_one_loopback_address_gets_the_small_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "loopback_range_usable", lambda: False)
    assert Network.acquire().plan == AddressPlan(0)
