"""The checks of a container that is killed again and again."""

from __future__ import annotations

from typing import Any

import pytest

from kubetour.checks import Change, Proof
from kubetour.proofs.restarts import LongerPause, Restarted, announced, pause_before
from tests.shapes import change, lived, pod


def web(
    restarts: int = 0,
    *,
    running: bool = True,
    back_off: str = "",
    last: tuple[str, str] = ("", ""),
    **given: Any,
) -> dict[str, Any]:
    """Return the Pod; `last` is when its container ended, and when it was started again."""
    item = pod("web-pod", **given)
    status = item["status"]["containerStatuses"][0]
    status["restartCount"] = restarts
    if back_off:
        message = f"back-off {back_off} restarting failed container=web pod=web-pod_default(uid)"
        status["state"] = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
    elif not running:
        status["state"] = {"terminated": {"exitCode": 137, "finishedAt": "2026-11-23T13:30:00Z"}}
    if last[0]:
        status["lastState"] = {"terminated": {"exitCode": 137, "finishedAt": last[0]}}
        status["state"] = {"running": {"startedAt": last[1]}}
    return item


def other(item: dict[str, Any], **metadata: str) -> dict[str, Any]:
    return {**item, "metadata": {**item["metadata"], **metadata}}


def key(proof: Proof) -> str:
    return proof.text.key.removeprefix("proof.")


WAS = change(-1, web(), "ADDED")
ENDED = change(0.2, web(running=False))
elsewhere = web(1)
elsewhere["status"]["podIP"] = "10.244.0.99"
failed = web(running=False, phase="Failed")
failed["spec"]["restartPolicy"] = "Never"


@pytest.mark.parametrize(
    ("changes", "verdict", "refuted"),
    [
        pytest.param((WAS, ENDED, change(0.5, web(1))), "restarted", False, id="started again"),
        pytest.param((WAS, change(0.5, web(1))), "restarted", False, id="its end was not seen"),
        pytest.param((WAS, ENDED), "restarting", False, id="it has ended"),
        pytest.param((WAS,), "restarting", False, id="nothing has happened"),
        pytest.param((WAS, ENDED, change(0.5, web(back_off="10s"))), "restarting", False, id="it waits"),
        pytest.param((WAS, change(0.5, failed)), "not-restarted", True, id="restartPolicy Never"),
        pytest.param((WAS, change(0.5, elsewhere)), "restarted-elsewhere", True, id="another address"),
        pytest.param(
            (WAS, change(0.4, web(), "DELETED"), change(0.5, other(web(), uid="2"), "ADDED")),
            "another-pod",
            True,
            id="another Pod of its name",
        ),
        pytest.param((WAS, change(0.4, web(), "DELETED")), "pod-waiting", False, id="the Pod is gone"),
    ],
)
def test_a_container_is_started_again_in_the_same_pod(
    changes: tuple[Change, ...], verdict: str, refuted: bool
) -> None:
    proof = Restarted("web-pod")(lived(*changes))
    assert (key(proof), proof.refuted) == (verdict, refuted)


def test_restarts_and_the_time_until_it_ran_are_told() -> None:
    proof = Restarted("web-pod")(lived(WAS, ENDED, change(0.5, web(1))))
    assert proof.data == {"before": 0, "after": 1, "seconds": 0.5}


TEN = ("2026-11-23T13:30:00Z", "2026-11-23T13:30:10Z")
RESTARTED = change(-1, web(2, last=TEN), "ADDED")


@pytest.mark.parametrize(
    ("started", "changes", "verdict"),
    [
        pytest.param(False, (RESTARTED, change(0.2, web(2, back_off="20s"))), "longer-pause", id="announced"),
        pytest.param(True, (RESTARTED, change(0.2, web(2, back_off="20s"))), "pausing", id="it still waits"),
        pytest.param(
            True,
            (RESTARTED, change(0.2, web(2, back_off="20s")), change(20, web(3))),
            "longer-pause",
            id="started again",
        ),
        pytest.param(False, (RESTARTED, change(0.2, web(2, running=False))), "pause-waiting", id="ended"),
        pytest.param(False, (RESTARTED, change(0.2, web(3))), "no-pause", id="at once"),
        pytest.param(
            False, (RESTARTED, change(0.2, web(2, back_off="10s"))), "pause-not-longer", id="the same pause"
        ),
    ],
)
def test_the_pause_is_longer_each_time(started: bool, changes: tuple[Change, ...], verdict: str) -> None:
    proof = LongerPause("web-pod", started)(lived(*changes))
    assert key(proof) == verdict
    assert proof.refuted is (verdict in {"no-pause", "pause-not-longer"})


@pytest.mark.parametrize(
    ("text", "seconds"), [("10s", 10), ("1m20s", 80), ("2m40s", 160), ("5m0s", 300), ("1h0m0s", 3600)]
)
def test_a_pause_is_read_as_kubelet_words_it(text: str, seconds: int) -> None:
    assert announced(web(back_off=text)["status"]["containerStatuses"][0]) == seconds


def test_another_reason_to_wait_is_no_pause() -> None:
    pulls = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}}
    assert announced(pulls) is None
    assert announced({}) is None


def test_the_pause_before_is_what_lies_between_end_and_start() -> None:
    assert pause_before(web(2, last=TEN)["status"]["containerStatuses"][0]) == 10
    assert pause_before(web()["status"]["containerStatuses"][0]) == 0
