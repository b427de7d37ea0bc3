"""The timeline of scaling: what the watches told, in which order, and what they did not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.checks import Change
from kubetour.proofs.scaling import CAUSES, CROSSING, STAGES, Scaled, out_of_order, timeline
from kubetour.proofs.workload import DeploymentEndpoints, DeploymentReady, ReadyEndpoints
from tests.shapes import change, deployment, event, lived, pod, replicaset, service, slices

APP = {"app": "web"}
CHECK = Scaled(DeploymentEndpoints(DeploymentReady("web", 2, "web:1"), ReadyEndpoints("web", 2)))
BEFORE = (
    change(-1, deployment("web", 1), "ADDED"),
    change(-1, replicaset("web-1", 1), "ADDED"),
    change(-1, pod("web-1-a", APP, owner="uid-web-1"), "ADDED"),
    change(-1, service("web"), "ADDED"),
    change(-1, slices("web", "web-1-a"), "ADDED"),
)


def stage(*, node: str = "node-2", image: bool = True, running: bool = True, ready: bool = False) -> Any:
    item = pod("web-1-b", APP, owner="uid-web-1", node=node, ready=ready)
    status = item["status"]["containerStatuses"][0]
    status["imageID"] = "sha256:1" if image else ""
    if not running:
        status["state"] = {"waiting": {"reason": "ContainerCreating"}}
    return item


CREATED = stage(node="", image=False, running=False)
SCALED = (
    *BEFORE,
    change(0.1, deployment("web", 2, observed=1, available=1, generation=3)),
    change(0.2, replicaset("web-1", 2)),
    change(0.3, CREATED, "ADDED"),
    change(0.4, stage(image=False, running=False)),
    change(0.5, event("web-1-b", "Pulled"), "ADDED"),
    change(0.6, event("web-1-b", "Started"), "ADDED"),
    change(0.7, stage()),
    change(0.8, stage(ready=True)),
    change(0.9, deployment("web", 2, generation=3)),
    change(1.0, slices("web", "web-1-a", "web-1-b")),
)


def test_each_stage_has_the_time_at_which_a_watch_told_it() -> None:
    assert timeline(lived(*SCALED), "web", "web") == {
        "deployment": 0.1,
        "replicaset": 0.2,
        "pods": [
            {
                "name": "web-1-b",
                "node": "node-2",
                "created": 0.3,
                "scheduled": 0.4,
                "pulled": 0.5,
                "started": 0.6,
                "ready": 0.8,
                "endpoint": 1.0,
            }
        ],
    }


def without(*kinds: str) -> tuple[Change, ...]:
    return tuple(told for told in SCALED if told.resource not in kinds or told.at < 0)


def test_without_events_the_containers_status_tells() -> None:
    (row,) = timeline(lived(*without("events")), "web", "web")["pods"]
    assert (row["pulled"], row["started"]) == (0.7, 0.7)


def test_what_was_not_seen_has_no_time() -> None:
    told = (*BEFORE, change(0.3, CREATED, "ADDED"))
    times = timeline(lived(*told), "web", "web")
    assert (times["deployment"], times["replicaset"]) == (None, None)
    (row,) = times["pods"]
    assert [row[name] for name in STAGES] == [0.3, None, None, None, None, None]


def test_pods_of_others_and_those_that_were_there_are_left_out() -> None:
    strangers = (
        change(0.3, pod("bare", APP), "ADDED"),
        change(0.3, pod("other-1-a", APP, owner="uid-other-1"), "ADDED"),
        change(0.5, pod("web-1-a", APP, owner="uid-web-1")),
    )
    assert timeline(lived(*BEFORE, *strangers), "web", "web")["pods"] == []


def test_scaling_is_proved_with_its_timeline() -> None:
    proof = CHECK(lived(*SCALED))
    assert (proof.holds, proof.text.key) == (True, "proof.scaled-in")
    assert (proof.text.values["new"], proof.text.values["time"]) == (1, "1000")
    assert len(proof.data["timeline"]["pods"]) == 1
    assert {"declared", "observed", "pods"} <= set(proof.data)


@pytest.mark.parametrize("until", range(len(BEFORE), len(SCALED)))
def test_until_the_last_endpoint_is_there_it_is_waited_for(until: int) -> None:
    proof = CHECK(lived(*SCALED[:until]))
    assert not proof.settled


def test_what_is_as_declared_already_holds_without_a_timeline() -> None:
    told = (*SCALED[len(BEFORE) :],)
    proof = CHECK(lived(*(Change(-1, c.resource, c.event, c.object) for c in (*BEFORE, *told))))
    assert (proof.holds, proof.text.key) == (True, "proof.scaled")


def test_an_endpoint_long_before_its_pod_was_ready_refutes() -> None:
    early = change(0.5, slices("web", "web-1-a", "web-1-b"))
    late = change(3.0, stage(ready=True))
    told = [c for c in SCALED if c.resource != "endpointslices" or c.at < 0]
    proof = CHECK(lived(*sorted((*told, early, late), key=lambda c: c.at)))
    assert proof.holds  # Ready came first, as SCALED has it at 0.8
    told = [c for c in told if c.object is not SCALED[12].object]
    proof = CHECK(lived(*sorted((*told, early, late), key=lambda c: c.at)))
    assert (proof.refuted, proof.text.key) == (True, "proof.out-of-order")
    assert (proof.text.values["first"], proof.text.values["then"]) == ("ready", "endpoint")


TIMES = st.lists(st.floats(0, 60), min_size=len(CAUSES), max_size=len(CAUSES))


def row(times: list[float | None]) -> dict[str, Any]:
    return {**dict.fromkeys(STAGES), **dict(zip(CAUSES, times, strict=True))}


@given(TIMES, st.sets(st.sampled_from(CAUSES[:2])))
def test_times_in_order_are_in_order_whatever_was_not_seen(times: list[float], unseen: set[str]) -> None:
    told = row([None if name in unseen else at for name, at in zip(CAUSES, sorted(times), strict=True)])
    assert out_of_order(told) is None


@given(TIMES, st.integers(0, len(CAUSES) - 2), st.floats(0.01, 60))
def test_a_stage_clearly_before_its_cause_is_found(times: list[float], place: int, by: float) -> None:
    ordered: list[float | None] = [at + 200 for at in sorted(times)]
    first = ordered[place]
    assert first is not None
    ordered[place + 1] = first - CROSSING - by
    wrong = out_of_order(row(ordered))
    assert wrong is not None
    assert CAUSES.index(wrong[0]) < CAUSES.index(wrong[1])


@given(st.floats(0, 0.99))
def test_what_two_watches_told_crosswise_is_no_fault(by: float) -> None:
    assert out_of_order(row([1.0, 2.0, 3.0, 3.0 - by])) is None


@given(st.permutations(SCALED[len(BEFORE) :]))
def test_whatever_the_order_a_time_is_one_that_was_told(told: list[Change]) -> None:
    (row,) = timeline(lived(*BEFORE, *told), "web", "web")["pods"]
    ats = {c.at for c in told}
    assert all(row[name] is None or row[name] in ats for name in STAGES)
