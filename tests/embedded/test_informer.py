from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.embedded.api import Event, Object, ObjectList
from kubetour.embedded.informer import Informer, key_of
from tests.embedded.controlplane import ControlPlane, pod, scenario


def recorder(plane: ControlPlane, resource: str) -> list[tuple[str, str]]:
    seen: list[tuple[str, str]] = []

    def handler(old: Object | None, new: Object | None) -> None:
        kind = "update" if old and new else "add" if new else "delete"
        seen.append((kind, (new or old or {})["metadata"]["name"]))

    plane.api.of(resource).add_handler(handler)
    return seen


@scenario()
async def test_what_others_write_arrives_by_list_and_watch(plane: ControlPlane) -> None:
    plane.registry.create("pods", pod("early"))
    seen = recorder(plane, "pods")
    await plane.settle()
    plane.registry.create("pods", pod("late"))
    plane.registry.patch("pods", "late", {"metadata": {"labels": {"a": "b"}}}, "default")
    plane.registry.delete("pods", "early", "default")
    await plane.settle()
    told = [("add", "early"), ("add", "late"), ("update", "late"), ("update", "early"), ("delete", "early")]
    assert seen == told
    assert [one["metadata"]["labels"] for one in plane.api.of("pods").all()] == [{"a": "b"}]


@scenario()
async def test_own_writes_are_there_at_once_and_are_told_once(plane: ControlPlane) -> None:
    informer = plane.api.of("pods")
    seen = recorder(plane, "pods")
    await plane.settle()
    plane.api.create("pods", pod("p"))
    assert informer.get("default", "p") is not None
    plane.api.bind("default", "p", "node-1")
    bound = informer.get("default", "p") or {}
    assert bound["spec"]["nodeName"] == "node-1"
    plane.api.delete("pods", "p", "default")
    terminating = informer.get("default", "p") or {}
    assert "deletionTimestamp" in terminating["metadata"]
    plane.api.delete("pods", "p", "default", grace_period_seconds=0)
    assert informer.get("default", "p") is None
    plane.api.create("pods", pod("p"))
    await plane.settle()
    assert seen == [
        ("add", "p"),
        ("update", "p"),
        ("update", "p"),
        ("delete", "p"),
        ("add", "p"),
    ]
    assert informer.get("default", "p") is not None


@scenario()
async def test_only_what_others_wrote_is_parsed_when_the_watch_tells_of_it(plane: ControlPlane) -> None:
    real, told = plane.registry.watch, []

    async def watch(resource: str, namespace: str = "", *, resource_version: str) -> AsyncIterator[Event]:
        async for event in real(resource, namespace, resource_version=resource_version):
            told.append(event)
            yield event

    plane.registry.watch = watch  # type: ignore[method-assign, assignment]
    informer = plane.api.of("pods")
    await plane.settle()
    plane.api.create("pods", pod("ours"))
    plane.registry.create("pods", pod("theirs"))
    plane.api.patch("pods", "ours", {"metadata": {"labels": {"a": "b"}}}, "default")
    plane.api.patch("pods", "ours", {"metadata": {"labels": {"a": "b"}}}, "default")  # changes nothing
    await plane.settle()
    assert ["object" in vars(event) for event in told] == [False, True, False]
    assert sorted(one["metadata"]["name"] for one in informer.all()) == ["ours", "theirs"]


@scenario()
async def test_an_update_that_removes_the_last_finalizer_removes_the_object(plane: ControlPlane) -> None:
    informer = plane.api.of("configmaps")
    await plane.settle()
    plane.api.create("configmaps", {"metadata": {"name": "c", "namespace": "default", "finalizers": ["x/y"]}})
    plane.api.delete("configmaps", "c", "default")
    assert informer.get("default", "c") is not None
    plane.api.patch("configmaps", "c", {"metadata": {"finalizers": None}}, "default")
    assert informer.get("default", "c") is None
    await plane.settle()
    assert informer.all() == []


@scenario()
async def test_a_compacted_history_leads_to_a_new_list(plane: ControlPlane) -> None:
    seen = recorder(plane, "pods")
    await plane.settle()
    plane.registry.create("pods", pod("before"))
    await plane.settle()
    real, calls = plane.api.api.watch, 0

    def watch(resource: str, namespace: str = "", *, resource_version: str) -> Any:
        nonlocal calls
        calls += 1
        old = str(plane.store.compacted - 1) if calls == 1 else resource_version
        return real(resource, namespace, resource_version=old)

    plane.api.api.watch = watch  # type: ignore[method-assign]
    for watcher in list(plane.store._watchers["pods"]):
        plane.store.compact(plane.store.revision)
        watcher.close()
    await plane.settle(1)
    plane.registry.delete("pods", "before", "default")
    plane.registry.create("pods", pod("after"))
    await plane.settle(1)
    assert calls == 2
    assert seen == [("add", "before"), ("delete", "before"), ("add", "after")]


def versions(name: str, count: int) -> list[Object]:
    return [
        {"metadata": {"name": name, "namespace": "n", "resourceVersion": str(number)}, "value": number}
        for number in range(1, count + 1)
    ]


@given(st.permutations(list(range(6))), st.booleans())
def test_whatever_the_order_of_arrival_the_newest_state_stays(order: list[int], deleted: bool) -> None:
    """The watch delivers in order, own writes come early: any interleaving ends in the last state."""
    informer = Informer("pods")
    states = versions("a", 6)
    for index in order:
        if deleted and index == 5:
            informer.removed_early(states[index])
        else:
            informer.applied(states[index])
    assert [obj["value"] for obj in informer.all()] == ([] if deleted else [6])


def test_indexes_follow_every_change() -> None:
    informer = Informer("pods")
    informer.add_index("color", lambda obj: (obj["color"],))
    base: Object = {"metadata": {"name": "a", "namespace": "n", "resourceVersion": "1"}, "color": "red"}
    informer.applied(base)
    changed = copy.deepcopy(base) | {"color": "blue"}
    changed["metadata"]["resourceVersion"] = "2"
    informer.applied(changed)
    assert informer.by("color", "red") == []
    assert informer.by("color", "blue") == [changed]
    informer.replace(ObjectList([], "3"))
    assert informer.by("color", "blue") == []
    assert informer.get(*key_of(base)) is None


def test_a_handler_that_fails_ends_the_informers_rather_than_one_in_silence() -> None:
    async def run() -> None:
        plane = ControlPlane()

        def fail(old: Object | None, new: Object | None) -> None:
            raise KeyError("bug in a handler")

        plane.api.of("pods").add_handler(fail)
        plane.registry.create("pods", pod("p"))
        with pytest.raises(KeyError, match="bug in a handler"):
            await plane.api.run()
        plane.store.close()

    asyncio.run(run())
