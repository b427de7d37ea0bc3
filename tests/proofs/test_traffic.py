"""The checks of answers, and how many requests make it near certain that every Pod has answered."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.checks import Proof
from kubetour.proofs.traffic import MISS, AllAnswered, AnsweredBy, Chain, answers, requests_for
from tests.making import output
from tests.shapes import deployment, pod, replicaset, seen, service, slices

APP = {"app": "web"}
NAMES = ("web-1-a", "web-1-b", "web-1-c")
PODS = tuple(pod(name, APP, owner="uid-web-1") for name in NAMES)


def key(proof: Proof) -> str:
    return proof.text.key.removeprefix("proof.")


def said(*names: str) -> str:
    return "".join(f"You've hit {name}\n" for name in names)


@given(st.integers(2, 500))
def test_so_many_requests_keep_the_bound_and_one_fewer_would_not(pods: int) -> None:
    requests = requests_for(pods)
    assert pods * (1 - 1 / pods) ** requests <= MISS
    assert pods * (1 - 1 / pods) ** (requests - 1) > MISS


@pytest.mark.parametrize("pods", [0, 1])
def test_one_pod_needs_one_request(pods: int) -> None:
    assert requests_for(pods) == 1


def test_a_random_balancer_leaves_no_pod_out_in_a_thousand_runs() -> None:
    chance = random.Random(1)  # noqa: S311  (a balancer, not a secret)
    for _ in range(1000):
        assert len({chance.randrange(3) for _ in range(requests_for(3))}) == 3


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("", {}),
        (said("web-1-a", "web-1-a", "web-1-b"), {"web-1-a": 2, "web-1-b": 1}),
        ("You've hit web-1-aYou've hit web-1-b", {"web-1-a": 1, "web-1-b": 1}),
        ("web-1-a.", {"web-1-a": 1}),
        ("web-1-a-2 my-web-1-a web-1-ab", {}),
        ('{"host":"web-1-a"}', {"web-1-a": 1}),
    ],
    ids=["nothing", "counted", "run together", "punctuation", "longer names", "JSON"],
)
def test_a_name_counts_only_as_a_word_of_its_own(text: str, counts: dict[str, int]) -> None:
    assert answers(seen(results=(output(text),)), set(NAMES)) == counts


def test_an_answer_is_a_pods_when_it_has_its_name() -> None:
    proof = AnsweredBy((("app", "web"),))(seen(*PODS, results=(output(said("web-1-b")),)))
    assert proof.holds
    assert proof.text.values["name"] == "web-1-b"


@pytest.mark.parametrize("text", ["", "You've hit other\n", "<html>captive portal</html>"])
def test_an_answer_of_another_proves_nothing(text: str) -> None:
    proof = AnsweredBy((("app", "web"),))(seen(*PODS, pod("other"), results=(output(text),)))
    assert not proof.holds
    assert proof.text.values["answer"] == (text.strip() or "–")


ALL = AllAnswered("web", 3, 6)


def test_all_pods_have_answered_over_all_rounds_together() -> None:
    rounds = (output(said("web-1-a", "web-1-a", "web-1-b")), output(said(*NAMES)))
    proof = ALL(seen(*PODS, results=rounds))
    assert proof.holds
    assert proof.data["answers"] == {"web-1-a": 3, "web-1-b": 2, "web-1-c": 1}
    assert proof.data["requests"] == 6
    assert proof.data["sequence"] == ["web-1-a", "web-1-a", "web-1-b", *NAMES]
    assert not proof.notes


def test_answers_strictly_in_turn_are_noted() -> None:
    proof = ALL(seen(*PODS, results=(output(said(*NAMES * 3)),)))
    assert proof.holds
    assert [note.key for note in proof.notes] == ["proof.took-turns"]


@pytest.mark.parametrize(
    ("pods", "names"),
    [
        (PODS, NAMES[:2] * 3),
        (PODS, NAMES),
        (PODS[:2], NAMES * 2),
        ((*PODS, pod("web-1-d", APP)), NAMES * 2),
        ((*PODS[:2], pod("web-1-c", APP, ready=False)), NAMES * 2),
        ((*PODS[:2], pod("web-1-c", APP, terminating=True)), NAMES * 2),
        (PODS, ("other",) * 6),
        (PODS, ()),
    ],
    ids=[
        "one left out",
        "too few requests",
        "one Pod gone",
        "one Pod more",
        "one not Ready",
        "one being deleted",
        "others",
        "none",
    ],
)
def test_fewer_answers_or_other_pods_prove_nothing(pods: tuple[Any, ...], names: tuple[str, ...]) -> None:
    proof = ALL(seen(*pods, results=(output(said(*names)),)))
    assert not proof.holds
    assert key(proof) == "not-all-answered"


def whole(**changed: Any) -> list[Any]:
    parts: dict[str, Any] = {
        "deployment": deployment(),
        "replicaset": replicaset(),
        "service": service(),
        "slices": slices("web", *NAMES),
        **changed,
    }
    return [item for item in parts.values() if item]


def test_every_link_from_service_to_deployment_holds() -> None:
    old = replicaset("web-0", replicas=0)
    stranger = pod("stranger", {"app": "other"}, owner="uid-other")
    proof = Chain("web")(seen(*whole(), old, *PODS, stranger))
    assert proof.holds
    assert proof.data["replicasets"] == ["web-1"]
    assert [item["name"] for item in proof.data["pods"]] == list(NAMES)
    assert proof.data["endpoints"] == list(NAMES)
    assert proof.data["selector"] == {"app": "web"}


@pytest.mark.parametrize(
    ("changed", "pods", "why"),
    [
        ({"deployment": None}, PODS, "chain-absent"),
        ({"service": None}, PODS, "chain-absent"),
        ({"replicaset": None}, PODS, "chain-broken"),
        ({"replicaset": replicaset(owner="uid-other")}, PODS, "chain-broken"),
        ({"replicaset": replicaset(owner="")}, PODS, "chain-broken"),
        ({}, (), "chain-broken"),
        ({}, tuple(pod(name, APP) for name in NAMES), "chain-broken"),
        ({"service": service(selector={"app": "other"})}, PODS, "chain-broken"),
        ({"slices": slices("web", *NAMES[:2])}, PODS, "chain-broken"),
        ({"slices": None}, PODS, "chain-broken"),
    ],
    ids=[
        "no Deployment",
        "no Service",
        "no ReplicaSet",
        "another's ReplicaSet",
        "an orphaned ReplicaSet",
        "no Pods",
        "orphaned Pods",
        "another selector",
        "one endpoint short",
        "no endpoints",
    ],
)
def test_a_broken_link_is_seen(changed: dict[str, Any], pods: tuple[Any, ...], why: str) -> None:
    proof = Chain("web")(seen(*whole(**changed), *pods))
    assert not proof.holds
    assert key(proof) == why


def test_a_pod_that_is_being_deleted_needs_no_endpoint() -> None:
    leaving = pod("web-1-d", APP, owner="uid-web-1", terminating=True)
    assert Chain("web")(seen(*whole(), *PODS, leaving)).holds
