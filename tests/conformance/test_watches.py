"""What the watches tell while a Deployment goes 1 → 3 → rolling update → deleted, beside what they told on a
real cluster: as far as Kubernetes promises it, which is the order of each object's states."""

from __future__ import annotations

import pytest

from tests.conformance.compared import Compared, fields
from tests.conformance.flow import PATHS, WATCHES, Event, Flow
from tests.conformance.histories import Histories, condition, endpoints, extent, owned, pod, track

COUNTERS = ("replicas", "readyReplicas", "availableReplicas", "terminatingReplicas")
# A slice's first state depends on how many Pods there are by then.
ENDS = [
    *((resource, 0, "first") for resource in ("pods", "deployments", "replicasets")),
    *((resource, -1, "last") for resource in ("pods", "deployments", "replicasets", "endpointslices")),
]
RECORDED = Histories(WATCHES)


@pytest.fixture(scope="package")
def here(flow: Flow) -> Histories:
    return Histories(flow.watches)


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


def test_the_same_objects_come_and_go(here: Histories) -> None:
    for resource in ("pods", "deployments", "replicasets", "endpointslices"):
        ends = [
            {name: said[-1]["type"] == "DELETED" for name, said in histories.objects(resource).items()}
            for histories in (RECORDED, here)
        ]
        assert ends[1] == ends[0], resource


def pairs(here: Histories, resource: str) -> list[tuple[str, list[Event], list[Event]]]:
    recorded, told = RECORDED.objects(resource), here.objects(resource)
    return [(name, recorded[name], told[name]) for name in recorded]


def watched(here: Histories) -> list[Compared]:
    """Return everything that is compared."""
    found = []
    for name, *both in pairs(here, "pods"):
        found.append(Compared(f"watch states of {name}", *(track(said, pod) for said in both)))
    for resource, title in (("deployments", "the Deployment"), ("replicasets", "")):
        for name, *both in pairs(here, resource):
            what = title or name
            found.append(Compared(f"watch generations of {what}", *(track(said, owned) for said in both)))
            extents = (tuple(extent(said, counter) for counter in COUNTERS) for said in both)
            found.append(Compared(f"watch counters of {what}", *extents))
    for kind in ("Available", "Progressing"):
        for _, *both in pairs(here, "deployments"):
            states = (track(said, condition(kind)) for said in both)
            found.append(Compared(f"watch condition {kind} of the Deployment", *states))
    for resource, place, which in ENDS:
        for name, *both in pairs(here, resource):
            objects = (fields(said[place]["object"]) for said in both)
            found.append(Compared(f"watch {which} state in {resource} of {name}", *objects))
    for _, *both in pairs(here, "endpointslices"):
        one, other = (
            endpoints(said, histories.role) for said, histories in zip(both, (RECORDED, here), strict=True)
        )
        for name in sorted({*one, *other}):
            found.append(Compared(f"watch endpoint of {name}", one.get(name, ()), other.get(name, ())))
    for name, recorded in RECORDED.events().items():
        found.append(Compared(f"watch events of {name}", recorded, here.events().get(name, ())))
    return found


def test_each_state_is_one_that_a_real_cluster_went_through(here: Histories) -> None:
    for each in watched(here):
        each.check()
