"""The checks of steady load: what holds, and what refutes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from kubetour.checks import Change, Object, Observation, Proof
from kubetour.proofs.load import BadRelease, NothingLost, SlowStart, Steady, short
from tests.making import output
from tests.shapes import deployment, pod, seen

APP = {"app": "web"}
COMMANDS = ("kubectl --context c scale deployment/web --replicas=2", "kubectl rollout status deployment/web")
SCALE = "kubectl scale deployment/web --replicas=2"


def told(failed: int = 0, statuses: tuple[int, ...] = (0, 0), **given: Any) -> str:
    """Return what the load prints, with as many failures of one kind, and the commands' exit statuses."""
    names = COMMANDS * len(statuses)
    marks = [
        {"at": 0.5 + number, "text": text, "ended": 1.0 + number, "status": status}
        for number, (text, status) in enumerate(zip(names, statuses, strict=False))
    ]
    rows = [{"at": 0, "ok": 100 - failed, "failed": failed, "by": {"You've hit web-1-a": 100 - failed}}]
    return json.dumps(
        {
            "rate": 50.0,
            "requests": 100,
            "failed": failed,
            "milliseconds": {"p50": 2.0, "p99": 9.0, "max": 21.4},
            "reasons": {"connection refused": failed} if failed else {},
            "seconds": rows,
            "marks": marks,
            "failures": [{"at": 0.84, "reason": "connection refused"}] if failed else [],
            **given,
        }
    )


def change(at: float, event: str, item: Object) -> Change:
    return Change(at, "pods", event, item)


OLD = tuple(pod(name, APP) for name in ("web-1-a", "web-1-b", "web-1-c"))
NEW = pod("web-1-d", APP)
BROKEN = pod("web-2-a", APP, image="web:no-such-release", ready=False, phase="Pending")
BROKEN["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "ImagePullBackOff"}}
LEAVING = change(1.0, "MODIFIED", pod("web-1-a", APP, terminating=True))
CAME_AND_WENT = (change(1.2, "ADDED", NEW), LEAVING)
AFTER = (deployment(), *OLD)


def observed(text: str, *changes: Change, after: tuple[Object, ...] = AFTER) -> Observation:
    before = tuple(change(-1.0, "ADDED", item) for item in OLD)
    return replace(seen(*after, results=(output(text),)), changes=(*before, *changes))


def key(proof: Proof) -> str:
    return proof.text.key.removeprefix("proof.")


LOST = NothingLost("web", 3, "web:1")


@pytest.mark.parametrize(
    ("text", "changes", "expected", "refuted"),
    [
        (told(), CAME_AND_WENT, "nothing-lost", False),
        (told(failed=2), CAME_AND_WENT, "requests-lost", True),
        (told(statuses=(1, 0)), CAME_AND_WENT, "load-command", True),
        (told(), (), "load-no-change", False),
        (told(), (LEAVING,), "load-no-change", False),
        (told(marks=[], failed=100), (), "load-unreachable", False),
        ("", (), "load-silent", True),
        ("{}", (), "load-silent", True),
    ],
    ids=["held", "lost", "command failed", "nothing changed", "only left", "unreachable", "silent", "other"],
)
def test_nothing_is_lost_only_if_every_request_was_answered_while_pods_came_and_went(
    text: str, changes: tuple[Change, ...], expected: str, refuted: bool
) -> None:
    proof = LOST(observed(text, *changes))
    assert (key(proof), proof.refuted) == (expected, refuted)
    assert proof.holds == (expected in ("nothing-lost", "load-unreachable"))


def test_a_pod_that_was_on_its_way_out_before_has_not_left_because_of_the_load() -> None:
    leaving = pod("web-1-z", APP, terminating=True)
    proof = LOST(
        observed(told(), change(-1.0, "ADDED", leaving), change(2.0, "DELETED", leaving), *CAME_AND_WENT)
    )
    assert (proof.text.values["came"], proof.text.values["went"]) == (1, 1)


def test_it_holds_only_when_the_deployment_is_as_before() -> None:
    proof = LOST(observed(told(), *CAME_AND_WENT, after=(deployment(available=2), *OLD)))
    assert (key(proof), proof.settled) == ("deployment-waiting", False)


def test_the_report_gets_answers_by_pod_and_commands_without_the_cluster() -> None:
    load = LOST(observed(told(), *CAME_AND_WENT)).data["load"]
    assert load["seconds"] == [{"at": 0, "ok": 100, "failed": 0, "by": {"web-1-a": 100}}]
    assert load["marks"][0] == {"at": 0.5, "text": "kubectl scale deployment/web --replicas=2"}


def test_a_check_that_judges_nothing_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Steady("web", 3, "web:1")  # type: ignore[abstract]


@pytest.mark.parametrize("text", ["You've hit web-1-a, not web-1-b", "x/web-1-a/"], ids=["two", "in a path"])
def test_an_answer_counts_for_the_first_pod_that_it_names_as_a_word(text: str) -> None:
    rows = [{"at": 0, "ok": 2, "failed": 0, "by": {text: 1, "You've hit web-1-a": 1}}]
    counted = LOST(observed(told(seconds=rows), *CAME_AND_WENT)).data["load"]["seconds"][0]["by"]
    assert counted == {"web-1-a": 2}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("kubectl --kubeconfig 'a b' --context c get pods", "kubectl get pods"),
        ("/home/me/.cache/kubectl --context c get pods", "kubectl get pods"),
        ("/usr/bin/kubectl --context c scale deployment/web --replicas=2", SCALE),
        (".kubetour/bin/kubectl --context c scale deployment/web --replicas=2", SCALE),
        ("'/my tools/kubectl' scale deployment/web --replicas=2", SCALE),
        ("kubectl " + "x" * 100, "kubectl " + "x" * 51 + "…"),
    ],
    ids=["flags", "path", "path and a slash later", "on a host", "path with a space", "long"],
)
def test_a_command_is_shown_short(command: str, expected: str) -> None:
    assert short(command) == expected


BAD = BadRelease("web", 3, "web:1")
RELEASE = (0, 1, 0, 0)


@pytest.mark.parametrize(
    ("text", "changes", "expected", "refuted"),
    [
        (told(statuses=RELEASE), (change(1.0, "MODIFIED", BROKEN),), "bad-release", False),
        (told(3, RELEASE), (change(1.0, "MODIFIED", BROKEN),), "requests-lost", True),
        (told(statuses=(0, 0, 0, 0)), (change(1.0, "MODIFIED", BROKEN),), "release-started", True),
        (told(statuses=(0, 1, 1, 0)), (change(1.0, "MODIFIED", BROKEN),), "load-command", True),
        (told(statuses=RELEASE), (), "release-unseen", False),
    ],
    ids=["held", "lost", "it started", "no rollback", "no Pod of it yet"],
)
def test_a_bad_release_harms_nobody_only_if_it_never_started_and_nothing_was_lost(
    text: str, changes: tuple[Change, ...], expected: str, refuted: bool
) -> None:
    proof = BAD(observed(text, *changes))
    assert (key(proof), proof.refuted, proof.holds) == (expected, refuted, expected == "bad-release")


@pytest.mark.parametrize(
    ("probed", "failed", "expected", "holds"),
    [
        (True, 0, "ready-probed", True),
        (True, 4, "requests-lost", False),
        (False, 4, "ready-unprobed", True),
        (False, 0, "ready-unprobed-kept", False),
    ],
    ids=["probed, kept", "probed, lost", "unprobed, lost", "unprobed, kept"],
)
def test_a_probe_is_worth_something_only_if_without_it_requests_are_lost(
    probed: bool, failed: int, expected: str, holds: bool
) -> None:
    proof = SlowStart("web", 3, "web:1", probed=probed)(observed(told(failed)))
    assert (key(proof), proof.holds, proof.refuted) == (expected, holds, not holds)
