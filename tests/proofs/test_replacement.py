"""The checks of what follows when Pods are deleted."""

from __future__ import annotations

from typing import Any

import pytest

from kubetour.checks import Change, Proof
from kubetour.proofs.replacement import NothingReturns, Replaced, SameAddress
from kubetour.proofs.workload import Gone
from tests.shapes import change, lived, pod, service, slices

RUN, APP = {"run": "web-pod"}, {"app": "web"}
NOTHING = NothingReturns(Gone((("pods", "web-pod"), ("services", "web-pod")), (("run", "web-pod"),)))


def key(proof: Proof) -> str:
    return proof.text.key.removeprefix("proof.")


def with_uid(item: dict[str, Any], uid: str) -> dict[str, Any]:
    return {**item, "metadata": {**item["metadata"], "uid": uid}}


def at_address(item: dict[str, Any], address: str) -> dict[str, Any]:
    return {**item, "status": {**item["status"], "podIP": address}}


BARE = pod("web-pod", RUN)
GOES = (change(-1, BARE, "ADDED"), change(0.1, pod("web-pod", RUN, terminating=True)))
GONE = (*GOES, change(0.4, BARE, "DELETED"))


@pytest.mark.parametrize(
    ("changes", "verdict", "settled"),
    [
        pytest.param(GONE, "nothing-returns", True, id="gone"),
        pytest.param(GOES, "not-gone", False, id="going"),
        pytest.param((), "gone", True, id="never there"),
        pytest.param((*GONE, change(1, with_uid(BARE, "2"), "ADDED")), "returned", True, id="made again"),
        pytest.param(
            (*GONE, change(1, with_uid(BARE, "2"), "ADDED"), change(2, with_uid(BARE, "2"), "DELETED")),
            "returned",
            True,
            id="made again and gone again",
        ),
        pytest.param(
            (*GONE, change(1, pod("other", {"run": "other"}), "ADDED")),
            "nothing-returns",
            True,
            id="another Pod is made",
        ),
    ],
)
def test_a_bare_pod_that_is_deleted_stays_away(
    changes: tuple[Change, ...], verdict: str, settled: bool
) -> None:
    proof = NOTHING(lived(*changes))
    assert (key(proof), proof.settled) == (verdict, settled)
    assert proof.refuted is (verdict == "returned")


def test_when_it_was_gone_is_told() -> None:
    proof = NOTHING(lived(*GONE))
    assert proof.data == {"gone": 0.4, "returned": None}
    assert proof.text.values["gone"] == "400"


OLD, NEW = pod("web-1-a", APP, owner="rs"), pod("web-1-b", APP, owner="rs")
FALLS = (
    change(-1, OLD, "ADDED"),
    change(0.05, pod("web-1-a", APP, owner="rs", terminating=True)),
    change(0.06, pod("web-1-b", APP, owner="rs", ready=False), "ADDED"),
)
REPLACED = (*FALLS, change(0.3, OLD, "DELETED"), change(0.9, NEW))


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        pytest.param(REPLACED, True, id="another is ready"),
        pytest.param((*FALLS, change(0.9, NEW)), True, id="the old one is ending yet"),
        pytest.param((*FALLS, change(0.3, OLD, "DELETED")), False, id="the new one is not ready"),
        pytest.param(
            (change(-1, OLD, "ADDED"), change(0.3, OLD, "DELETED")), False, id="nothing takes its place"
        ),
        pytest.param((change(-1, OLD, "ADDED"),), False, id="nothing was deleted"),
        pytest.param((change(0.9, NEW, "ADDED"),), False, id="there was none before"),
        pytest.param(
            (change(-1, OLD, "ADDED"), change(0.3, OLD, "DELETED"), change(0.9, pod("x", APP), "ADDED")),
            False,
            id="a bare Pod is no replacement",
        ),
    ],
)
def test_a_deployments_pod_is_replaced(changes: tuple[Change, ...], holds: bool) -> None:
    proof = Replaced("web", 1)(lived(*changes))
    assert proof.holds is holds
    assert not proof.refuted  # it may still come


def test_who_took_whose_place_is_told_with_the_times() -> None:
    proof = Replaced("web", 1)(lived(*REPLACED))
    assert proof.data["replaced"] == [
        {"old": "web-1-a", "gone": 0.3, "new": "web-1-b", "created": 0.06, "ready": 0.9}
    ]
    assert (proof.text.values["made"], proof.text.values["ready"]) == ("60", "900")


SERVICE = service("web")
OTHER = {**SERVICE, "spec": {**SERVICE["spec"], "clusterIP": "10.96.0.99"}}
BEFORE = (
    change(-1, SERVICE, "ADDED"),
    change(-1, slices("web", "web-1-a"), "ADDED"),
    change(-1, at_address(OLD, "10.244.0.1"), "ADDED"),
)
BEHIND = change(1, slices("web", "web-1-b"))
CAME = (change(0.3, OLD, "DELETED"), change(0.9, at_address(NEW, "10.244.0.2"), "ADDED"))


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        pytest.param((*BEFORE, *CAME, BEHIND), "same-address", id="others behind the same Service"),
        pytest.param((*BEFORE, *CAME), "address-waiting", id="the endpoints are the old ones"),
        pytest.param(BEFORE, "address-waiting", id="nothing has happened"),
        pytest.param((*CAME, BEHIND), "address-unknown", id="no Service before"),
        pytest.param((*BEFORE, *CAME, BEHIND, change(0.5, OTHER)), "address-changed", id="another address"),
        pytest.param(
            (
                *BEFORE,
                *CAME,
                BEHIND,
                change(0.5, SERVICE, "DELETED"),
                change(0.6, with_uid(OTHER, "new"), "ADDED"),
            ),
            "address-changed",
            id="made anew",
        ),
        pytest.param(
            (*BEFORE, *CAME, BEHIND, change(0.5, OTHER), change(0.6, SERVICE)),
            "address-changed",
            id="another address for a moment",
        ),
    ],
)
def test_the_service_keeps_its_address(changes: tuple[Change, ...], verdict: str) -> None:
    proof = SameAddress("web", 1)(lived(*changes))
    assert key(proof) == verdict
    assert proof.refuted is (verdict == "address-changed")


def test_addresses_before_and_after_are_told() -> None:
    proof = SameAddress("web", 1)(lived(*BEFORE, *CAME, BEHIND))
    assert proof.data["before"] == [{"name": "web-1-a", "address": "10.244.0.1"}]
    assert proof.data["after"] == [{"name": "web-1-b", "address": "10.244.0.2"}]
    assert not proof.notes


def test_an_address_that_is_given_again_is_noted() -> None:
    same = (change(0.3, OLD, "DELETED"), change(0.9, at_address(NEW, "10.244.0.1"), "ADDED"))
    (note,) = SameAddress("web", 1)(lived(*BEFORE, *same, BEHIND)).notes
    assert note.key == "proof.address-again"
