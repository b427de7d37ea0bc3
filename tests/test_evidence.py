"""Evidence in the cluster's own words, from objects as the API server gives them."""

from __future__ import annotations

from typing import Any

import pytest

from kubetour.evidence import MOST_OBJECTS, last_lines, states, warnings
from tests.shapes import deployment, event, node, pod


def with_conditions(item: dict[str, Any], *conditions: tuple[str, str, str, str]) -> dict[str, Any]:
    names = ("type", "status", "reason", "message")
    item["status"]["conditions"] = [dict(zip(names, each, strict=True)) for each in conditions]
    return item


def test_conditions_that_do_not_hold_are_told_and_the_others_not() -> None:
    late = with_conditions(
        deployment(),
        (
            "Available",
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        ),
        ("Progressing", "False", "ProgressDeadlineExceeded", 'ReplicaSet "web-1" has timed out progressing.'),
        ("ReplicaFailure", "True", "FailedCreate", "pods is forbidden"),
    )
    fine = with_conditions(
        deployment("shop"), ("Available", "True", "x", "x"), ("Progressing", "True", "x", "")
    )
    gone = with_conditions(
        node("n1"), ("Ready", "Unknown", "NodeStatusUnknown", ""), ("DiskPressure", "False", "x", "")
    )
    assert states({"deployments": (late, fine), "nodes": (gone, node("n2"))}) == (
        "deployment/web: Available=False MinimumReplicasUnavailable: "
        "Deployment does not have minimum availability.",
        "deployment/web: Progressing=False ProgressDeadlineExceeded: "
        'ReplicaSet "web-1" has timed out progressing.',
        "deployment/web: ReplicaFailure=True FailedCreate: pods is forbidden",
        "node/n1: Ready=Unknown NodeStatusUnknown",
    )


@pytest.mark.parametrize(
    ("state", "last", "told"),
    [
        pytest.param(
            {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}},
            {},
            "web: waiting ImagePullBackOff: Back-off pulling image",
            id="waiting",
        ),
        pytest.param(
            {"waiting": {"reason": "CrashLoopBackOff"}},
            {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
            "web: waiting CrashLoopBackOff; before: terminated, exit code 137 OOMKilled; restarts: 4",
            id="crashing",
        ),
        pytest.param({"running": {"startedAt": "x"}}, {}, "web: running, not ready", id="running"),
        pytest.param({}, {}, "web: unknown", id="nothing yet"),
    ],
)
def test_a_container_says_what_it_does_and_what_it_did_before(
    state: dict[str, Any], last: dict[str, Any], told: str
) -> None:
    item = with_conditions(pod("a", ready=False), ("Ready", "False", "ContainersNotReady", ""))
    item["status"]["containerStatuses"][0] |= {"state": state, "lastState": last, "restartCount": 4}
    assert states({"pods": (item,)}) == ("pod/a: Ready=False ContainersNotReady", f"pod/a: {told}")


def test_pods_that_are_well_or_end_or_are_through_say_nothing() -> None:
    through = with_conditions(pod("c", phase="Succeeded"), ("Ready", "False", "PodCompleted", ""))
    assert states({"pods": (pod("a"), pod("b", ready=False, terminating=True), through)}) == ()
    assert states({"pods": ({"metadata": {"name": "new"}},)}) == ()


def test_of_many_objects_in_trouble_only_the_first_speak_and_no_line_is_endless() -> None:
    pods = tuple(
        with_conditions(pod(f"p{n}", ready=False), ("Ready", "False", "R", "long " * 500)) for n in range(50)
    )
    told = states({"pods": (pod("well"), *pods)})
    assert [line.split(":")[0] for line in told] == [f"pod/p{n // 2}" for n in range(2 * MOST_OBJECTS)]
    assert max(map(len, told)) < 330


def test_warnings_are_told_once_each_the_newest_last_and_not_more_than_five() -> None:
    told = [event("a", f"Reason{n}", n, "Warning", "x") for n in range(7)]
    again = [event("a", "Reason6", 8, "Warning", "x"), event("a", "Pulled", 9)]
    assert warnings({"events": (*again, *told)}) == tuple(f"a: Reason{n}: x" for n in range(2, 7))


def test_the_last_lines_of_logs_name_their_pod() -> None:
    told = tuple(last_lines({"a": "one\ntwo " + "x" * 5000, "b": ""}))
    assert told[0] == "a: one"
    assert told[1].startswith("a: two x")
    assert len(told) == 2
    assert len(told[1]) < 310
