"""Which backend a connection gets, by a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubetour.embedded.proxy_balancer import Balancer

BACKENDS = [("127.64.0.2", 80, "one"), ("127.64.0.3", 80, "two"), ("127.64.0.4", 80, "two")]
NOW = [0.0]


@pytest.fixture(autouse=True)
def beginning() -> Iterator[None]:
    yield
    NOW[0] = 0.0


def balancer(affinity_seconds: float = 0, *, local_only: bool = False) -> Balancer:
    made = Balancer(affinity_seconds, local_only, lambda: NOW[0])
    made.backends = BACKENDS
    return made


def first(made: Balancer, client: str = "127.0.0.1") -> tuple[str, int]:
    return next(made.choose(client))


def test_each_backend_is_tried_once_in_any_order() -> None:
    orders = {tuple(balancer().choose("127.0.0.1")) for _ in range(300)}
    assert len(orders) == 6
    assert all(sorted(order) == [backend[:2] for backend in BACKENDS] for order in orders)


def test_without_backends_there_is_none_to_try() -> None:
    made = balancer()
    made.backends = []
    assert not list(made.choose("127.0.0.1"))


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        pytest.param("", 3, id="not at a node's port"),
        pytest.param("two", 2, id="at a node with endpoints"),
        pytest.param("three", 0, id="at a node without"),
    ],
)
def test_local_traffic_stays_on_the_node_it_came_in_at(node: str, expected: int) -> None:
    assert len(list(balancer(local_only=True).choose("127.0.0.1", node))) == expected


def test_affinity_lasts_until_its_client_has_been_away_too_long() -> None:
    made = balancer(60)
    known = first(made)
    for _ in range(50):
        NOW[0] += 59
        assert first(made) == known
    seen = set()
    for _ in range(100):
        NOW[0] += 61
        seen.add(first(made))
    assert len(seen) == 3


def test_affinity_is_to_the_backend_that_took_the_connection() -> None:
    made = balancer(60)
    order = made.choose("127.0.0.1")
    next(order)
    second = next(order)  # the first one refused
    assert {first(made) for _ in range(20)} == {second}


def test_a_backend_that_is_gone_is_forgotten() -> None:
    made = balancer(60)
    known = first(made)
    made.backends = [backend for backend in BACKENDS if backend[:2] != known]
    assert first(made) != known
