from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.embedded.listening import Listeners, can_bind, free_ports, is_listening
from kubetour.embedded.pod_network import (
    NoAddressError,
    PodNetwork,
    container_ports,
    listen_annotation,
    port_number,
)

ADDRESSES = [f"127.64.0.{host}" for host in range(2, 5)]


def test_each_pod_has_an_address_of_its_own_and_keeps_it() -> None:
    network = PodNetwork(list(ADDRESSES))
    assert [network.assign(uid) for uid in "abca"] == [*ADDRESSES, ADDRESSES[0]]
    with pytest.raises(NoAddressError, match="all 3 Pod addresses"):
        network.assign("d")
    network.release("b")
    assert network.assign("d") == ADDRESSES[1]


def test_a_freed_address_is_not_given_again_at_once() -> None:
    network = PodNetwork(list(ADDRESSES))
    network.assign("a")
    network.release("a")
    assert network.assign("b") == ADDRESSES[1]


def test_a_pod_gets_the_address_back_that_it_had() -> None:
    network = PodNetwork(list(ADDRESSES))
    assert network.assign("a", ADDRESSES[2]) == ADDRESSES[2]
    assert network.assign("b", ADDRESSES[2]) == ADDRESSES[0]
    assert network.assign("c", "10.0.0.1") == ADDRESSES[1]


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.booleans()), max_size=30))
def test_no_two_pods_ever_share_an_address(steps: list[tuple[str, bool]]) -> None:
    network = PodNetwork(list(ADDRESSES))
    held: dict[str, str] = {}
    for uid, give in steps:
        if not give:
            network.release(uid)
            held.pop(uid, None)
        elif len(held) < len(ADDRESSES) or uid in held:
            held[uid] = network.assign(uid)
    assert len(set(held.values())) == len(held)


def test_a_port_is_kept_where_it_is_free() -> None:
    network = PodNetwork(list(ADDRESSES), usable=lambda _, port: port != 80)
    assert network.listen(ADDRESSES[0], 8080, set()) == 8080
    other = network.listen(ADDRESSES[0], 80, set())
    assert 20000 <= other < 32768
    assert network.listen(ADDRESSES[0], 8080, {8080}) != 8080


def test_where_all_pods_share_an_address_ports_tell_them_apart() -> None:
    network = PodNetwork(["127.0.0.1"])
    assert network.assign("a") == network.assign("b") == "127.0.0.1"
    first = network.listen("127.0.0.1", 8080, set())
    assert first != 8080
    assert network.listen("127.0.0.1", 8080, {first}) != first


CONTAINER = {
    "ports": [
        {"containerPort": 8080, "name": "http"},
        {"containerPort": 53, "protocol": "UDP"},
        {"containerPort": 9090},
    ]
}


def test_ports_by_number_and_name() -> None:
    assert container_ports(CONTAINER) == [8080, 9090]
    assert [port_number(CONTAINER, port) for port in ("http", 9090, "7", "none")] == [8080, 9090, 7, 0]


def test_the_annotation_is_a_json_object() -> None:
    assert listen_annotation({9090: "h:2", 8080: "h:1"}) == '{"8080":"h:1","9090":"h:2"}'


def test_who_listens_is_seen_without_a_connection() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        if is_listening("127.0.0.1", port) is None:
            pytest.skip("it cannot be told on this system")
        assert not is_listening("127.0.0.1", port)
        server.listen()
        assert is_listening("127.0.0.1", port)
        assert not is_listening("127.0.0.2", port)
        assert not can_bind("127.0.0.1", port)
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))  # noqa: S104
        server.listen()
        assert is_listening("127.0.0.2", server.getsockname()[1])


def test_free_ports_lie_below_those_of_outgoing_connections() -> None:
    ports = free_ports("127.0.0.1")
    found = [next(ports) for _ in range(5)]
    assert len(set(found)) == 5
    assert all(20000 <= port < 32768 for port in found)


def test_who_listens_is_read_anew_after_a_while_only() -> None:
    now = [0.0]
    listeners = Listeners(lambda: now[0])
    with socket.socket() as server:
        server.bind(("127.0.0.2", 0))
        port = server.getsockname()[1]
        if listeners.has("127.0.0.2", port) is None:
            pytest.skip("this machine does not tell who listens")
        server.listen()
        assert not listeners.has("127.0.0.2", port)
        now[0] += 1.0
        assert listeners.has("127.0.0.2", port)
