"""What the live picture shows of the cluster's objects."""

from __future__ import annotations

import pytest

from kubetour.podstatus import Mood
from kubetour.terminal.scene import Node, Pod, natural
from tests.shapes import deployment, node, pod, replicaset, service, slices
from tests.terminal.scenes import HASH, NAME, SITUATIONS, a_pod, moment, nodes


def test_a_pod_is_shown_with_its_node_its_columns_and_whether_it_is_an_endpoint() -> None:
    one, two, three = (a_pod(n, ready=n != 2, restarts=n - 1) for n in (1, 2, 3))
    names = [item["metadata"]["name"] for item in (one, two, three)]
    seen = moment(three, two, one, service(NAME), slices(NAME, names[0], unready=(names[1],)))
    assert seen.pods == (
        Pod(names[0], "kubetour-worker", "1/1", "Running", Mood.READY, 0, True),
        Pod(names[1], "kubetour-worker", "0/1", "Running", Mood.STARTING, 1, False),
        Pod(names[2], "kubetour-worker", "1/1", "Running", Mood.READY, 2, None),
    )


def test_the_control_plane_comes_first_and_worker2_before_worker10() -> None:
    numbers = ["", *map(str, range(2, 11))]
    expected = ["kubetour-control-plane", *(f"kubetour-worker{n}" for n in numbers)]
    assert [item.name for item in moment(*nodes(11)).nodes] == expected


@pytest.mark.parametrize(
    ("status", "is_cordoned", "trouble"),
    [
        ("True", False, ""),
        ("False", False, "NotReady"),
        ("Unknown", False, "NotReady"),
        ("True", True, "SchedulingDisabled"),
        ("Unknown", True, "NotReady,SchedulingDisabled"),
    ],
)
def test_of_a_node_only_what_is_not_as_usual_is_said(status: str, is_cordoned: bool, trouble: str) -> None:
    item = node("n", ready=status)
    item["spec"] = {"unschedulable": is_cordoned}
    assert moment(item).nodes == (Node("n", trouble),)


def test_where_nodes_may_not_be_listed_those_that_pods_are_on_are_shown() -> None:
    seen = moment(*SITUATIONS["nodes may not be seen"], a_pod(9, "", phase="Pending"))
    assert [item.name for item in seen.nodes] == ["kubetour-worker", "kubetour-worker2"]


def test_pods_stay_in_the_order_in_which_they_came() -> None:
    late, early = a_pod(8), a_pod(3)
    late["metadata"]["name"] = f"{NAME}-{HASH}-aaaaa"
    assert [item.short for item in moment(late, early).pods] == ["00003", "aaaaa"]


@pytest.mark.parametrize(
    ("name", "labels", "is_shown"),
    [
        (f"{NAME}-{HASH}-x2x2x", {"app": NAME}, True),
        (f"{NAME}-pod", {"run": "other"}, True),
        (f"{NAME}-{HASH}-x2x2x", {"app": "changed"}, True),
        ("stranger", {"app": NAME}, True),
        ("stranger", {"app": "stranger"}, False),
        ("node-hostnames-1", {}, False),
    ],
    ids=["its own", "the bare Pod", "one whose label was changed", "selected", "another's", "a like name"],
)
def test_its_own_pods_are_shown_and_those_that_the_service_selects(
    name: str, labels: dict[str, str], is_shown: bool
) -> None:
    assert bool(moment(pod(name, labels), service(NAME)).pods) is is_shown


def test_service_and_deployment_are_shown_with_address_and_counts() -> None:
    seen = moment(service(NAME), deployment(NAME, 4) | {"status": {"readyReplicas": 3}}, replicaset())
    assert (seen.service, seen.deployment) == ("10.96.0.7:8080", (4, 3))
    assert (moment().service, moment().deployment) == (None, None)


def test_a_service_without_a_selector_selects_nothing() -> None:
    bare = service(NAME)
    del bare["spec"]["selector"]
    assert moment(bare, pod("stranger")).pods == ()


def test_what_a_terminal_would_obey_is_taken_out() -> None:
    item = a_pod(1, reason="\x1b[2JOops")
    assert moment(item).pods[0].status == "Oops"


@pytest.mark.parametrize("name", ["", "a", "7", "a1b22", "9" * 40])
def test_any_name_has_a_place(name: str) -> None:
    assert natural(name) <= natural(f"{name}1")
