"""What the watches tell while a Deployment goes 1 → 3 → rolling update → deleted, beside what they told on a
real cluster: as far as Kubernetes promises it, which is the order of each object's states."""

from __future__ import annotations

import pytest

from tests.conformance.compared import Compared
from tests.conformance.flow import PATHS, Flow
from tests.conformance.histories import Histories
from tests.conformance.watches import RECORDED


@pytest.mark.parametrize("resource", PATHS)
def test_no_change_is_told_twice_and_none_is_left_out(flow: Flow, resource: str) -> None:
    told = flow.watches[resource]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in told]
    assert versions == sorted(set(versions))
    assert told == flow.again[resource], "a later watch from the same version tells another story"


@pytest.mark.parametrize("resource", PATHS)
def test_an_object_is_added_first_and_deleted_last(flow: Flow, resource: str) -> None:
    for name, said in Histories(flow.watches).objects(resource).items():
        kinds = [event["type"] for event in said]
        middle = kinds[1:-1] if kinds[-1] == "DELETED" else kinds[1:]
        assert kinds[0] == "ADDED", name
        assert set(middle) <= {"MODIFIED"}, name


def test_the_same_objects_come_and_go(flow: Flow) -> None:
    here = Histories(flow.watches)
    for resource in ("pods", "deployments", "replicasets", "endpointslices"):
        ends = [
            {name: said[-1]["type"] == "DELETED" for name, said in histories.objects(resource).items()}
            for histories in (RECORDED, here)
        ]
        assert ends[1] == ends[0], resource


def test_each_thing_went_through_the_recorded_states(watched: list[Compared]) -> None:
    for each in watched:
        each.check()
