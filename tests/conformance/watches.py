"""What the watches told beside what they told on a real cluster."""

from __future__ import annotations

from collections.abc import Iterator

from tests.conformance.compared import Compared, fields
from tests.conformance.flow import WATCHES, Event, Flow
from tests.conformance.histories import Histories, condition, endpoints, extent, owned, pod, track

COUNTERS = ("replicas", "readyReplicas", "availableReplicas", "terminatingReplicas")
# A slice's first state depends on how many Pods there are by then.
ENDS = [
    *((resource, 0, "first") for resource in ("pods", "deployments", "replicasets")),
    *((resource, -1, "last") for resource in ("pods", "deployments", "replicasets", "endpointslices")),
]
RECORDED = Histories(WATCHES)


def pairs(here: Histories, resource: str) -> list[tuple[str, list[Event], list[Event]]]:
    """Return what was told of each object of a resource, recorded and here."""
    recorded, told = RECORDED.objects(resource), here.objects(resource)
    return [(name, recorded[name], told[name]) for name in recorded]


def compared(flow: Flow) -> list[Compared]:
    """Return all that was told of each object, beside what was told of the recorded one."""
    here = Histories(flow.watches)
    return [*_states(here), *_ends(here), *_endpoints(here), *_events(here)]


def _states(here: Histories) -> Iterator[Compared]:
    for name, *both in pairs(here, "pods"):
        yield Compared(f"watch states of {name}", *(track(said, pod) for said in both))
    for name, *both in [*pairs(here, "deployments"), *pairs(here, "replicasets")]:
        yield Compared(f"watch generations of {name}", *(track(said, owned) for said in both))
        extents = (tuple(extent(said, counter) for counter in COUNTERS) for said in both)
        yield Compared(f"watch counters of {name}", *extents)
    for kind in ("Available", "Progressing"):
        for name, *both in pairs(here, "deployments"):
            states = (track(said, condition(kind)) for said in both)
            yield Compared(f"watch condition {kind} of {name}", *states)


def _ends(here: Histories) -> Iterator[Compared]:
    for resource, place, which in ENDS:
        for name, *both in pairs(here, resource):
            objects = (fields(said[place]["object"]) for said in both)
            yield Compared(f"watch {which} state in {resource} of {name}", *objects)


def _endpoints(here: Histories) -> Iterator[Compared]:
    for _, recorded, said in pairs(here, "endpointslices"):
        one, other = endpoints(recorded, RECORDED.role), endpoints(said, here.role)
        for name in sorted({*one, *other}):
            yield Compared(f"watch endpoint of {name}", one.get(name, ()), other.get(name, ()))


def _events(here: Histories) -> Iterator[Compared]:
    told = here.events()
    for name, recorded in RECORDED.events().items():
        yield Compared(f"watch events of {name}", recorded, told.get(name, ()))
