"""A Pod's state in kubectl's words, compared with the printer behind the embedded cluster's tables, too."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour import podstatus
from kubetour.embedded.resources import by_plural
from kubetour.embedded.tables import column_definitions, row
from kubetour.podstatus import Mood
from tests.shapes import pod

RUNNING: dict[str, Any] = {"state": {"running": {}}, "ready": True}
UNREADY: dict[str, Any] = {"state": {"running": {}}, "ready": False}
READY = {"type": "Ready", "status": "True"}
INITIALIZED = {"type": "Initialized", "status": "True"}


def waiting(reason: str) -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason}}, "ready": False}


def ended(**fields: Any) -> dict[str, Any]:
    return {"state": {"terminated": {"exitCode": 0, **fields}}, "ready": False}


def made(*containers: Any, beginning: Any = (), goes: bool = False, **status: Any) -> dict[str, Any]:
    """Return a Pod with as many containers as have a status, one at least."""
    metadata: dict[str, Any] = {"name": "web-1"}
    if goes:
        metadata["deletionTimestamp"] = "2026-11-23T13:29:13Z"
    about = {"phase": "Running", "conditions": [], **status}
    return {
        "metadata": metadata,
        "spec": {
            "containers": [{"name": f"c{n}"} for n in range(len(containers) or 1)],
            "initContainers": [{"name": f"i{n}"} for n in range(len(beginning))],
        },
        "status": {
            **about,
            "containerStatuses": [{"name": f"c{n}", **item} for n, item in enumerate(containers)],
            "initContainerStatuses": [{"name": f"i{n}", **item} for n, item in enumerate(beginning)],
        },
    }


@pytest.mark.parametrize(
    ("pod", "columns", "mood"),
    [
        (made(phase="Pending"), "0/1 Pending", Mood.STARTING),
        (made(waiting("ContainerCreating"), phase="Pending"), "0/1 ContainerCreating", Mood.STARTING),
        (made(UNREADY), "0/1 Running", Mood.STARTING),
        (made(RUNNING, conditions=[READY]), "1/1 Running", Mood.READY),
        (made(RUNNING), "1/1 Running", Mood.STARTING),
        (made(RUNNING, UNREADY), "1/2 Running", Mood.STARTING),
        (made(RUNNING, conditions=[READY], goes=True), "1/1 Terminating", Mood.ENDING),
        (made(RUNNING, conditions=[READY], goes=True, reason="NodeLost"), "1/1 Unknown", Mood.FAILING),
        (made(waiting("CrashLoopBackOff")), "0/1 CrashLoopBackOff", Mood.FAILING),
        (made(waiting("ErrImagePull"), phase="Pending"), "0/1 ErrImagePull", Mood.FAILING),
        (made(waiting("ImagePullBackOff"), phase="Pending"), "0/1 ImagePullBackOff", Mood.FAILING),
        (made(ended(reason="Error", exitCode=1)), "0/1 Error", Mood.FAILING),
        (made(ended(reason="OOMKilled", exitCode=137)), "0/1 OOMKilled", Mood.FAILING),
        (made(ended(exitCode=3)), "0/1 ExitCode:3", Mood.FAILING),
        (made(ended(signal=9)), "0/1 Signal:9", Mood.FAILING),
        (made(phase="Failed", reason="Evicted"), "0/1 Evicted", Mood.FAILING),
        (made(ended(reason="Completed"), phase="Succeeded"), "0/1 Completed", Mood.DONE),
        (made(ended(reason="Completed"), RUNNING, conditions=[READY]), "1/2 Running", Mood.READY),
        (made(ended(reason="Completed"), RUNNING), "1/2 NotReady", Mood.STARTING),
        (made(beginning=[ended(), UNREADY], phase="Pending"), "0/1 Init:1/2", Mood.STARTING),
        (made(beginning=[ended(reason="Error", exitCode=1)]), "0/1 Init:Error", Mood.FAILING),
        (made(beginning=[waiting("ErrImagePull")]), "0/1 Init:ErrImagePull", Mood.FAILING),
        (
            made(waiting("PodInitializing"), beginning=[ended()], conditions=[INITIALIZED], phase="Pending"),
            "0/1 PodInitializing",
            Mood.STARTING,
        ),
        (
            made(
                phase="Pending",
                conditions=[{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}],
            ),
            "0/1 SchedulingGated",
            Mood.STARTING,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_pods_state_is_said_as_kubectl_says_it(pod: dict[str, Any], columns: str, mood: Mood) -> None:
    assert f"{podstatus.ready(pod)} {podstatus.status(pod)}" == columns
    assert podstatus.mood(pod) is mood


def test_a_sidecar_counts_among_the_containers_and_ends_no_initialization() -> None:
    item = made(RUNNING, beginning=[{"started": True, "restartCount": 2, **RUNNING}], conditions=[READY])
    item["spec"]["initContainers"][0]["restartPolicy"] = "Always"
    assert (podstatus.ready(item), podstatus.status(item), podstatus.restarts(item)) == ("2/2", "Running", 2)


def test_a_pod_of_which_nothing_is_told_yet_is_pending() -> None:
    assert podstatus.status({"metadata": {"name": "new"}, "spec": {"containers": [{}]}}) == "Pending"


def test_restarts_are_added_up() -> None:
    item = pod("web-1")
    item["status"]["containerStatuses"] *= 2
    item["status"]["containerStatuses"][0]["restartCount"] = 3
    assert podstatus.restarts(item) == 6


ENDS: list[dict[str, Any]] = [
    {"reason": "Completed"},
    {"reason": "Error", "exitCode": 1},
    {"signal": 9},
    {"exitCode": 2},
]
CONTAINERS = st.lists(
    st.one_of(
        st.sampled_from([RUNNING, UNREADY]),
        st.sampled_from(["ContainerCreating", "CrashLoopBackOff", "PodInitializing"]).map(waiting),
        st.sampled_from(ENDS).map(lambda fields: ended(**fields)),
    ),
    max_size=3,
)
PODS = st.builds(
    lambda containers, beginning, goes, phase, conditions, reason: made(
        *containers, beginning=beginning, goes=goes, phase=phase, conditions=conditions, **reason
    ),
    CONTAINERS,
    CONTAINERS,
    st.booleans(),
    st.sampled_from(["Pending", "Running", "Succeeded", "Failed", "Unknown"]),
    st.lists(st.sampled_from([READY, INITIALIZED]), max_size=2),
    st.sampled_from([{}, {"reason": "Evicted"}, {"reason": "NodeLost"}]),
)


@given(PODS)
def test_it_is_what_the_embedded_clusters_table_says(item: dict[str, Any]) -> None:
    resource = by_plural("pods")
    cells = row(resource, item, datetime(2026, 11, 23, tzinfo=timezone.utc), "None")["cells"]
    table = dict(zip([column["name"] for column in column_definitions(resource)], cells, strict=True))
    assert (podstatus.status(item), podstatus.ready(item)) == (table["Status"], table["Ready"])
