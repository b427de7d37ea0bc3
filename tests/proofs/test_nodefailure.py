"""The checks of a node that fails, and of one that comes back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kubetour.checks import Change, Object, Observation, Proof, Result
from kubetour.proofs.nodefailure import NodeBack, PodsMoved
from kubetour.proofs.workload import DeploymentReady
from tests.shapes import deployment, node, pod, seen

APP = {"app": "web"}
# The third command stopped the node, ten seconds after the first began.
RESULTS = tuple(Result(0, began=began) for began in (100.0, 101.0, 110.0))


def on(name: str, where: str, **given: Any) -> Object:
    return pod(name, APP, node=where, **given)


def change(at: float, item: Object, event: str = "MODIFIED") -> Change:
    return Change(at, f"{item['kind'].lower()}s", event, item)


BEFORE = (
    change(-1.0, on("a", "n1"), "ADDED"),
    change(-1.0, on("b", "n2"), "ADDED"),
    change(-1.0, node("n2"), "ADDED"),
)
NOTICED = change(60.0, node("n2", ready="Unknown"))
EVICTED = change(65.0, on("b", "n2", ready=False, terminating=True))
REPLACED = change(66.5, on("c", "n1"), "ADDED")
MOVED = (on("a", "n1"), on("b", "n2", ready=False, terminating=True), on("c", "n1"))


def observed(changes: tuple[Change, ...], now: tuple[Object, ...]) -> Observation:
    return replace(seen(deployment(replicas=2), *now, results=RESULTS), changes=changes)


def key(proof: Proof) -> str:
    return proof.text.key.removeprefix("proof.")


@pytest.mark.parametrize(
    ("changes", "now", "expected", "refuted"),
    [
        ((*BEFORE, NOTICED, EVICTED, REPLACED), MOVED, "pods-moved", False),
        (BEFORE, (on("a", "n1"), on("b", "n2")), "node-still-ready", False),
        ((*BEFORE, NOTICED), (on("a", "n1"), on("b", "n2", ready=False)), "pods-not-moved", False),
        ((*BEFORE, NOTICED, EVICTED), MOVED[:2], "pods-not-moved", False),
        (BEFORE[:1], (on("a", "n1"),), "node-was-empty", True),
        ((*BEFORE, change(5.0, on("b", "n2"), "DELETED")), (), "node-was-empty", True),
    ],
    ids=["moved", "not noticed", "not evicted", "not replaced", "empty", "empty by then"],
)
def test_pods_have_moved_only_when_all_are_ready_elsewhere(
    changes: tuple[Change, ...], now: tuple[Object, ...], expected: str, refuted: bool
) -> None:
    proof = PodsMoved("web", 2, "n2")(observed(changes, now))
    assert (key(proof), proof.refuted, proof.holds) == (expected, refuted, expected == "pods-moved")


def test_times_count_from_when_the_node_was_stopped() -> None:
    proof = PodsMoved("web", 2, "n2")(observed((*BEFORE, NOTICED, EVICTED, REPLACED), MOVED))
    assert proof.data == {
        "node": "n2",
        "pods": ["b"],
        "after": {"noticed": 50.0, "evicted": 55.0, "replaced": 56.5},
    }


def test_a_replacement_is_ready_when_it_says_so_first() -> None:
    later = change(80.0, on("c", "n1"))
    starting = change(66.0, on("c", "n1", ready=False), "ADDED")
    proof = PodsMoved("web", 2, "n2")(observed((*BEFORE, NOTICED, EVICTED, starting, REPLACED, later), MOVED))
    assert proof.data["after"]["replaced"] == 56.5


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ((node("n2"), on("a", "n1"), on("d", "n1")), "node-back"),
        ((node("n2", ready="Unknown"), on("a", "n1"), on("d", "n1")), "node-not-back"),
        ((on("a", "n1"), on("d", "n1")), "node-not-back"),
        ((node("n2"), on("a", "n1")), "deployment-waiting"),
        ((node("n2"), on("a", "n1"), on("d", "n1"), on("b", "n2", terminating=True)), "node-pods-left"),
        ((node("n2"), on("a", "n1"), on("d", "n1"), on("b", "n1", terminating=True)), "node-back"),
    ],
    ids=["back", "silent", "absent", "too few Pods", "one not gone", "one that ends elsewhere"],
)
def test_a_node_is_back_when_it_is_ready_and_what_it_had_to_end_is_gone(
    items: tuple[Object, ...], expected: str
) -> None:
    check = NodeBack(DeploymentReady("web", 2, "web:1"), "n2")
    proof = check(seen(deployment(replicas=2), *items))
    assert (key(proof), proof.holds) == (expected, expected == "node-back")
