"""The X-ray of a Service, and the experiment that breaks its selector."""

from __future__ import annotations

from typing import Any

import pytest

from kubetour.checks import Proof
from kubetour.proofs.selecting import FindsNobody
from kubetour.proofs.xray import Miss, Port, xray
from tests.shapes import pod, seen, service, slices

APP = {"app": "web"}


def declaring(item: dict[str, Any], *ports: dict[str, Any]) -> dict[str, Any]:
    item["spec"]["containers"][0]["ports"] = list(ports)
    return item


HTTP = {"name": "http", "containerPort": 8080}
PODS = (declaring(pod("web-1-a", APP), HTTP), declaring(pod("web-1-b", APP, ready=False), HTTP))


def test_who_is_found_and_who_of_them_is_ready() -> None:
    found = xray(service("web"), PODS)
    assert (found.matching, found.ready) == (("web-1-a", "web-1-b"), ("web-1-a",))
    assert (found.misses, found.ports, found.texts()) == ((), (), ())


@pytest.mark.parametrize(
    ("selector", "labels", "misses"),
    [
        pytest.param({"app": "wbe"}, [APP], (Miss("app", "wbe", "web", ("p0",)),), id="a typing error"),
        pytest.param(
            {"app": "web", "tier": "fron"},
            [{"app": "web", "tier": "front"}],
            (Miss("tier", "fron", "front", ("p0",)),),
            id="one key of two",
        ),
        pytest.param(
            {"app": "web", "tier": "front"},
            [APP],
            (Miss("tier", "front", None, ("p0",)),),
            id="a label is missing",
        ),
        pytest.param({"app": "web"}, [{}, {"tier": "x"}], (), id="strangers without the label"),
        pytest.param({"app": "a", "tier": "b"}, [{"app": "c", "tier": "d"}], (), id="two keys differ"),
        pytest.param(
            {"app": "web-typo"},
            [{"app": "database"}, APP, APP],
            (
                Miss("app", "web-typo", "web", ("p1", "p2")),
                Miss("app", "web-typo", "database", ("p0",)),
            ),
            id="the most alike comes first",
        ),
        pytest.param({}, [APP], (), id="no selector at all"),
    ],
)
def test_who_is_missed_by_one_key(
    selector: dict[str, str], labels: list[dict[str, str]], misses: tuple[Miss, ...]
) -> None:
    item = service("web")
    item["spec"]["selector"] = selector
    pods = [pod(f"p{number}", each) for number, each in enumerate(labels)]
    assert xray(item, pods).misses == misses


def test_a_pod_that_is_being_deleted_is_passed_over() -> None:
    found = xray(service("web"), (pod("web-1-a", APP, terminating=True),))
    assert (found.matching, found.misses) == ((), ())


@pytest.mark.parametrize(
    ("target", "wrong"),
    [
        pytest.param("http", (), id="by name"),
        pytest.param(8080, (), id="by number"),
        pytest.param("htpp", (Port(8080, "htpp", ("http/8080",), True),), id="no such name"),
        pytest.param(80, (Port(8080, "80", ("http/8080",), False),), id="a number that nobody declares"),
    ],
)
def test_ports_that_lead_to_none_that_is_declared(target: str | int, wrong: tuple[Port, ...]) -> None:
    item = service("web")
    item["spec"]["ports"][0]["targetPort"] = target
    found = xray(item, PODS)
    assert found.ports == wrong
    assert [text.key for text in found.texts()] == (["cause.target-port"] if target == "htpp" else [])


BROKEN = service("web", {"app": "web-typo"})


def key(proof: Proof) -> str:
    return proof.text.key.removeprefix("proof.")


@pytest.mark.parametrize(
    ("items", "verdict"),
    [
        pytest.param((BROKEN, *PODS, slices("web")), "finds-nobody", id="nobody"),
        pytest.param((BROKEN, *PODS), "finds-nobody", id="not even an EndpointSlice"),
        pytest.param((BROKEN, *PODS, slices("web", "web-1-a")), "endpoints-left", id="not seen yet"),
        pytest.param((service("web"), *PODS, slices("web", "web-1-a")), "selector-unset", id="not set"),
        pytest.param(
            (BROKEN, *PODS, pod("x", {"app": "web-typo"}), slices("web", "x")), "still-found", id="somebody"
        ),
        pytest.param((*PODS,), "service-absent", id="no Service"),
    ],
)
def test_a_wrong_selector_finds_nobody(items: tuple[dict[str, Any], ...], verdict: str) -> None:
    proof = FindsNobody("web", "app", "web-typo")(seen(*items))
    assert key(proof) == verdict
    assert proof.holds is (verdict == "finds-nobody")
    assert proof.refuted is (verdict == "still-found")


def test_the_key_that_differs_is_named() -> None:
    proof = FindsNobody("web", "app", "web-typo")(seen(BROKEN, *PODS))
    assert proof.text.values["label"] == "app"
    assert proof.text.values["found"] == "app=web"
    assert proof.text.values["pods"] == "web-1-a, web-1-b"
