"""The checks of how connections are spread."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.checks import Proof
from kubetour.proofs.spreading import AtRandom, ForwardedToOne, OneConnection, in_turn
from tests.making import output
from tests.shapes import pod, seen, slices

APP = {"app": "web"}
NAMES = ("web-1-a", "web-1-b", "web-1-c")
PODS = tuple(pod(name, APP, owner="uid-web-1") for name in NAMES)


def key(proof: Proof) -> str:
    return proof.text.key.removeprefix("proof.")


def said(order: Sequence[str]) -> str:
    return "".join(f"You've hit {name}\n" for name in order)


def by_chance(count: int) -> list[str]:
    chance = random.Random(7)  # noqa: S311  (a balancer, not a secret)
    return [chance.choice(NAMES) for _ in range(count)]


@pytest.mark.parametrize(
    ("order", "verdict"),
    [
        pytest.param(by_chance(60), "at-random", id="at random"),
        pytest.param(NAMES * 20, "in-turn", id="in turn"),
        pytest.param(NAMES[::-1] * 20, "in-turn", id="in another turn"),
        pytest.param([NAMES[0]] * 60, "lopsided", id="all to one"),
        pytest.param([NAMES[0]] * 30 + [NAMES[1]] * 30, "lopsided", id="one is left out"),
        pytest.param(by_chance(59), "few-answers", id="one is missing"),
        pytest.param(["stranger"] * 60, "few-answers", id="somebody else"),
    ],
)
def test_connections_are_spread_at_random(order: Sequence[str], verdict: str) -> None:
    proof = AtRandom("web", 60)(seen(*PODS, results=(output(said(order)),)))
    assert key(proof) == verdict
    assert proof.refuted is (verdict != "at-random")


def test_what_was_counted_is_in_the_record() -> None:
    order = by_chance(60)
    proof = AtRandom("web", 60)(seen(*PODS, results=(output(said(order)),)))
    assert proof.data["sequence"] == order
    assert sum(proof.data["answers"].values()) == 60
    low, high = proof.data["expected"]
    assert low < 20 < high


def test_with_one_pod_there_is_nothing_to_spread() -> None:
    assert key(AtRandom("web", 2)(seen(PODS[0], results=(output(said(NAMES[:1] * 2)),)))) == "one-pod"


def test_chance_is_not_refuted_in_two_thousand_runs() -> None:
    chance = random.Random(1)  # noqa: S311
    for _ in range(2000):
        order = [chance.choice(NAMES) for _ in range(60)]
        assert AtRandom("web", 60)(seen(*PODS, results=(output(said(order)),))).holds


@given(st.integers(2, 9), st.integers(3, 20))
def test_a_rotation_is_known_whatever_its_length_and_a_slip_in_it_too(pods: int, rounds: int) -> None:
    order = [f"p{number}" for number in range(pods)] * rounds
    assert in_turn(order, pods)
    order[-1], order[-2] = order[-2], order[-1]
    assert not in_turn(order, pods)


@pytest.mark.parametrize("order", [[], ["a"] * 9, ["a", "b", "a", "b"]], ids=["none", "one", "too few"])
def test_what_may_be_chance_is_not_called_a_rotation(order: list[str]) -> None:
    assert not in_turn(order, 2)


def over(order: Sequence[str], connections: Sequence[int]) -> str:
    pairs = zip(order, connections, strict=True)
    return "".join(f"You've hit {name}\n\nconnections: {number}\n" for name, number in pairs)


@pytest.mark.parametrize(
    ("order", "connections", "verdict"),
    [
        pytest.param([NAMES[0]] * 4, [1, 0, 0, 0], "one-connection", id="one Pod"),
        pytest.param([NAMES[0], NAMES[1]] * 2, [1, 0, 0, 0], "requests-spread", id="requests are spread"),
        pytest.param([NAMES[0], NAMES[1]] * 2, [1, 1, 1, 1], "connections-closed", id="the app closes them"),
        pytest.param([NAMES[0]] * 3, [1, 0, 0], "few-answers", id="one is missing"),
        pytest.param(["stranger"] * 4, [1, 0, 0, 0], "few-answers", id="somebody else"),
    ],
)
def test_a_connection_stays_with_one_pod(order: Sequence[str], connections: list[int], verdict: str) -> None:
    proof = OneConnection("web", 4)(seen(*PODS, results=(output(over(order, connections)),)))
    assert key(proof) == verdict
    assert proof.refuted is (verdict in {"requests-spread", "few-answers"})


ENDPOINTS = slices("web", *NAMES)


def through(order: Sequence[str], made: int) -> str:
    return f"Forwarding from 127.0.0.1:40001 -> 8080\n{said(order)}\nconnections: {made}\n"


@pytest.mark.parametrize(
    ("printed", "verdict"),
    [
        pytest.param(through([NAMES[1]] * 40, 40), "forwarded-to-one", id="one Pod"),
        pytest.param(through([NAMES[0]] * 39 + [NAMES[1]], 40), "forward-spread", id="one answer of another"),
        pytest.param(through(by_chance(40), 40), "forward-spread", id="as a Service spreads"),
        pytest.param(through([NAMES[0]] * 39, 40), "few-answers", id="one is missing"),
        pytest.param(through(["stranger"] * 40, 40), "few-answers", id="somebody else"),
        pytest.param(through([NAMES[0]] * 40, 1), "forward-connections", id="one connection for all"),
        pytest.param(through([NAMES[0]] * 40, 0), "forward-connections", id="past the forwarded port"),
        pytest.param("", "few-answers", id="nothing"),
        pytest.param("not forwarded: streams over WebSockets only\n", "forward-untried", id="no stream"),
    ],
)
def test_a_forwarded_port_leads_every_connection_to_one_pod(printed: str, verdict: str) -> None:
    proof = ForwardedToOne("web", 40)(seen(ENDPOINTS, results=(output(printed),)))
    assert key(proof) == verdict
    assert proof.refuted is (verdict not in {"forwarded-to-one", "forward-untried"})


def test_why_nothing_could_be_forwarded_is_noted() -> None:
    printed = "not forwarded: streams over WebSockets only\n"
    (note,) = ForwardedToOne("web", 40)(seen(ENDPOINTS, results=(output(printed),))).notes
    assert (note.key, note.values) == (
        "proof.forward-no-stream",
        {"reason": "streams over WebSockets only"},
    )


def test_what_was_forwarded_is_in_the_record() -> None:
    printed = through([NAMES[1]] * 40, 40)
    data = ForwardedToOne("web", 40)(seen(ENDPOINTS, results=(output(printed),))).data
    assert data == {"answers": {NAMES[0]: 0, NAMES[1]: 40, NAMES[2]: 0}, "connections": 40}


@pytest.mark.parametrize("unready", [(), NAMES[1:]], ids=["one Pod", "one that is ready"])
def test_with_one_ready_pod_a_forwarded_port_shows_nothing(unready: tuple[str, ...]) -> None:
    there = slices("web", NAMES[0], unready=unready)
    printed = through([NAMES[0]] * 40, 40)
    assert key(ForwardedToOne("web", 40)(seen(there, results=(output(printed),)))) == "one-pod"


@pytest.mark.parametrize(
    ("body", "verdict"), [(NAMES[0], "forwarded-to-one"), ("a page", "spread-untold")], ids=["told", "untold"]
)
def test_of_an_app_of_ones_own_it_is_judged_as_far_as_that_tells(body: str, verdict: str) -> None:
    answer = f"HTTP/1.1 200 OK\r\nServer: shop\r\n\r\n{body}"
    printed = f"Forwarding from 127.0.0.1:40001 -> 8080\n{answer * 40}\nconnections: 40\n"
    proof = ForwardedToOne("web", 40)(seen(ENDPOINTS, results=(output(printed),)))
    assert (key(proof), proof.holds) == (verdict, True)
