"""The checks of apps that are not our own: what they hold, what they refuse, what they say is not proved."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from kubetour.checks import Observation, Proof
from kubetour.proofs.anyapp import ContainerTells, PodsTell, PodTells
from tests.making import output
from tests.shapes import pod, seen, slices

APP = {"app": "web"}
NAMES = ("web-1-a", "web-1-b")
PODS = tuple(pod(name, APP) for name in NAMES)
MARK = "kubetour.5f.hit"
INSPECTED = output(json.dumps([{"Config": {"Hostname": "0123456789ab"}}]))


def key(proof: Proof) -> str:
    return proof.text.key.removeprefix("proof.")


def notes(proof: Proof) -> list[str]:
    return [note.key.removeprefix("proof.") for note in proof.notes]


def http(body: str = "", header: str = "Server: x", status: int = 200) -> str:
    return f"HTTP/1.1 {status} Some\r\n{header}\r\n\r\n{body}"


def logged(**requests: int) -> str:
    return "".join(
        f"[pod/{name.replace('_', '-')}/web] GET /?{MARK}.{number} HTTP/1.1\n"
        for name, count in requests.items()
        for number in range(count)
    )


@pytest.mark.parametrize(
    ("printed", "log", "result", "way", "said"),
    [
        (http("from 0123456789ab"), "", "container-told", "body", []),
        (http(header="X-Host: 0123456789ab"), "", "container-told", "header", []),
        (http(), f"GET /?{MARK}", "container-told", "log", []),
        (http(status=404), f"GET /?{MARK}", "container-told", "log", ["who-status"]),
        (http(), "GET /", "container-untold", "", ["who-unknown"]),
        (http(status=302), "", "container-untold", "", ["who-unknown"]),
        ("", f"GET /?{MARK}", "no-answer", None, []),
        (http("0123456789ab", status=500), "", "no-answer", None, []),
    ],
    ids=["body", "header", "log", "not found", "nothing", "redirect", "no answer", "server error"],
)
def test_how_a_container_tells_its_name_is_found_out(
    printed: str, log: str, result: str, way: str | None, said: list[str]
) -> None:
    proof = ContainerTells(MARK)(
        seen(results=(output(printed),), confirmed=(INSPECTED, output("", stderr=log)))
    )
    assert (key(proof), proof.data.get("way"), notes(proof)) == (result, way, said)
    assert proof.for_now is (result == "container-untold")


def one(printed: str, log: str = "", told: str | None = None, pods: tuple[Any, ...] = PODS) -> Proof:
    found: Observation = seen(*pods, results=(output(printed),), confirmed=(output(log),))
    return PodTells((("app", "web"),), MARK)(replace(found, told=told))


@pytest.mark.parametrize("told", [None, "", "body", "log"])
def test_a_pod_that_tells_its_name_has_answered_whatever_was_known_before(told: str | None) -> None:
    for proof in (one(http("web-1-a"), told=told), one(http(), logged(web_1_a=1), told)):
        assert key(proof) == "pod-told"
        assert proof.text.values["name"] == "web-1-a"


@pytest.mark.parametrize(
    ("told", "result", "is_over", "said"),
    [
        (None, "pod-untold", False, ["who-unknown"]),
        ("", "pod-untold", True, ["who-still"]),
        ("header", "pod-silent", False, []),
    ],
    ids=["not known yet", "an app that never tells", "an app that tells"],
)
def test_an_answer_without_a_name_is_judged_by_what_the_app_told_before(
    told: str | None, result: str, is_over: bool, said: list[str]
) -> None:
    proof = one(http("hello"), told=told)
    assert (key(proof), proof.settled and not proof.for_now, notes(proof)) == (result, is_over, said)


def test_without_a_pod_that_is_ready_an_answer_without_a_name_proves_nothing() -> None:
    assert key(one(http("hello"), told="", pods=(pod("web-1-a", APP, ready=False),))) == "pods-unready"
    assert key(one("", told="")) == "no-answer"


def every(printed: str, log: str = "", told: str | None = "", *more: Any, requests: int = 4) -> Proof:
    items = more or (*PODS, slices("web", *NAMES))
    found = seen(*items, results=(output(printed),), confirmed=(output(log),))
    return PodsTell("web", 2, requests, MARK)(replace(found, told=told))


def test_all_pods_have_answered_by_each_way() -> None:
    bodies = http("web-1-a") * 3 + http("web-1-b")
    headers = http(header="H: web-1-a") * 3 + http(header="H: web-1-b")
    for proof in (every(bodies), every(headers), every(http() * 4, logged(web_1_a=3, web_1_b=1))):
        assert key(proof) == "all-told"
        assert proof.data["answers"] == {"web-1-a": 3, "web-1-b": 1}
        assert proof.data["requests"] == 4
        assert notes(proof) == []


@pytest.mark.parametrize(
    ("printed", "log", "told"),
    [
        (http("web-1-a") * 4, "", "body"),
        (http("web-1-a") + http("web-1-b"), "", "body"),
        (http("web-1-a") * 2 + http("web-1-b") + http("?"), "", "body"),
        (http() * 4, logged(web_1_a=2, web_1_b=1), "log"),
        (http() * 4, "", "log"),
        (http() * 4, "", "header"),
        (http() * 4, logged(other=4), "log"),
    ],
    ids=[
        *("one left out", "too few", "a stranger", "a request that no log has", "no log", "no header"),
        "the log of another",
    ],
)
def test_answers_that_may_come_from_elsewhere_prove_nothing(printed: str, log: str, told: str) -> None:
    proof = every(printed, log, told)
    assert not proof.holds
    assert key(proof) == "not-all-told"


def test_where_the_app_tells_nothing_answers_and_endpoints_are_proved_and_the_rest_is_said() -> None:
    proof = every(http("hello") * 4)
    assert key(proof) == "all-untold"
    assert notes(proof) == ["who-still"]
    assert proof.data["answers"] == {}


@pytest.mark.parametrize(
    ("items", "count"),
    [
        ((*PODS, slices("web", *NAMES)), 3),
        ((*PODS, slices("web", NAMES[0])), 4),
        ((*PODS, slices("web", NAMES[0], unready=(NAMES[1],))), 4),
        ((PODS[0], slices("web", *NAMES)), 4),
        ((*PODS, slices("other", *NAMES)), 4),
    ],
    ids=["too few answers", "an endpoint short", "one not ready", "a Pod short", "another Service's"],
)
def test_without_names_every_request_and_every_endpoint_counts(items: tuple[Any, ...], count: int) -> None:
    proof = every(http("hello") * count, "", "", *items)
    assert not proof.holds
    assert key(proof) == "not-all-behind"
