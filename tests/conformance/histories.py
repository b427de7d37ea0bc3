"""What a watch told, object by object: a track is the values that a thing had, none twice in a row.

Objects are named by what they are in the flow, as their names differ on every run: "ReplicaSet 2", "Pod 1 of
ReplicaSet 2".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from tests.conformance.compared import fields
from tests.conformance.flow import Event

REVISION = "deployment.kubernetes.io/revision"
Watches = dict[str, list[Event]]
Lines = tuple[str, ...]


class Histories:
    """The objects of the flow, and what each watch told of them."""

    def __init__(self, watches: Watches) -> None:
        self._watches = watches
        sets = self._of("replicasets")
        by_revision = {
            name: said[0]["object"]["metadata"]["annotations"][REVISION] for name, said in sets.items()
        }
        self._sets = {name: f"ReplicaSet {revision}" for name, revision in by_revision.items()}
        self._names = dict(self._sets)
        counts: dict[str, int] = {}
        for name, said in self._of("pods").items():
            owner = said[0]["object"]["metadata"].get("ownerReferences", [{"name": ""}])[0]["name"]
            counts[owner] = counts.get(owner, 0) + 1
            self._names[name] = f"Pod {counts[owner]} of {self._names[owner]}" if owner else "the Pod gen"

    def _of(self, resource: str) -> dict[str, list[Event]]:
        found: dict[str, list[Event]] = {}
        for event in self._watches[resource]:
            found.setdefault(event["object"]["metadata"]["name"], []).append(event)
        return found

    def objects(self, resource: str) -> dict[str, list[Event]]:
        """Return what was told of each object, by what it is in the flow."""
        return {self._names.get(name, name.split("-")[0]): said for name, said in self._of(resource).items()}

    def events(self) -> dict[str, Lines]:
        """Return the fields of every Event about an object of the flow; they come in no certain order."""
        found: dict[str, list[Lines]] = {}
        for event in self._watches["events"]:
            about = event["object"]["involvedObject"]["name"]
            if about.startswith(("rec", "gen")):
                told = found.setdefault(self._names.get(about, about), [])
                told.append(fields(self._with_sets(event["object"])))
        return {
            about: tuple(line for told in sorted(events) for line in told) for about, events in found.items()
        }

    def _with_sets(self, event: dict[str, Any]) -> Any:
        """Return an Event with each ReplicaSet called what it is in the flow."""
        said = json.dumps(event)
        for name, role in self._sets.items():
            said = re.sub(rf"\b{name}\b(?![-.])", role, said)
        return json.loads(said)

    def role(self, name: str) -> str:
        """Return what an object of that name is in the flow."""
        return self._names.get(name, name)


def track(said: list[Event], value: Callable[[Event], Any]) -> Lines:
    """Return the values one after another, none twice in a row."""
    return tuple(str(each) for each, _ in groupby(map(value, said)))


def endpoints(said: list[Event], role: Callable[[str], str]) -> dict[str, Lines]:
    """Return the conditions that each Pod's endpoint had one after another."""
    found: dict[str, list[str]] = {}
    for event in said:
        for each in event["object"].get("endpoints") or []:
            states = found.setdefault(role(each["targetRef"]["name"]), [])
            if not states or states[-1] != str(each["conditions"]):
                states.append(str(each["conditions"]))
    return {name: tuple(states) for name, states in found.items()}


def pod(event: Event) -> str:
    """Return all of a Pod's state that is told, in one line."""
    metadata, status = event["object"]["metadata"], event["object"]["status"]
    conditions = [
        f"{each['type']}={each['status']} {each.get('reason', '')}".strip()
        for each in status.get("conditions", [])
    ]
    containers = [
        f"{each['name']}: {' '.join(_state(each['state']))}, ready {each['ready']}, started {each['started']}"
        for each in status.get("containerStatuses", [])
    ]
    deleted = (
        f"deleted in {metadata['deletionGracePeriodSeconds']} s" if "deletionTimestamp" in metadata else ""
    )
    generations = f"generation {metadata['generation']} observed {status.get('observedGeneration')}"
    assigned = "assigned" if event["object"]["spec"].get("nodeName") else "not assigned"
    told = [event["type"], status["phase"], assigned, *conditions, *containers, generations, deleted]
    return "; ".join(filter(None, told))


def _state(state: dict[str, Any]) -> Iterator[str]:
    for name, detail in state.items():
        yield name
        yield from (str(detail[key]) for key in ("reason", "exitCode") if key in detail)


def condition(kind: str) -> Callable[[Event], str]:
    """Return what reads a condition: its status, reason and message."""

    def read(event: Event) -> str:
        listed = event["object"]["status"].get("conditions", [])
        found = next((each for each in listed if each["type"] == kind), None)
        return f"{found['status']} {found['reason']}: {fields(found['message'])[0]}" if found else "none"

    return read


def owned(event: Event) -> str:
    """Return what a client or an owner decides of a workload, and how far its controller has seen it."""
    metadata, spec = event["object"]["metadata"], event["object"]["spec"]
    deleted = f"; deleted, {metadata.get('finalizers')}" if "deletionTimestamp" in metadata else ""
    return f"generation {metadata['generation']}: {spec['replicas']} replicas{deleted}"


def extent(said: list[Event], counter: str) -> str:
    """Return a counter's first, largest and last value: what lies between depends on who looks when."""
    values = [event["object"]["status"].get(counter, 0) for event in said]
    return f"{counter}: {values[0]} at first, {max(values)} at most, {values[-1]} at last"
