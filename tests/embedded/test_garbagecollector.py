from __future__ import annotations

from kubetour.embedded.api import Object
from kubetour.embedded.garbagecollector import GarbageCollector
from tests.embedded.controlplane import ControlPlane, config_map, scenario


def config(
    plane: ControlPlane, name: str, *owners: Object, block: bool = False, **metadata: object
) -> Object:
    return plane.registry.create("configmaps", config_map(name, *owners, blocks=block, **metadata))


def names(plane: ControlPlane) -> list[str]:
    return sorted(obj["metadata"]["name"] for obj in plane.items("configmaps"))


def delete(plane: ControlPlane, name: str, policy: str = "") -> None:
    plane.registry.delete("configmaps", name, "default", propagation_policy=policy)


@scenario(GarbageCollector)
async def test_dependents_follow_their_owner_down_the_whole_chain(plane: ControlPlane) -> None:
    a = config(plane, "a")
    b = config(plane, "b", a)
    config(plane, "c", b)
    config(plane, "alone")
    await plane.settle()
    delete(plane, "a")
    await plane.settle()
    assert names(plane) == ["alone"]


@scenario(GarbageCollector)
async def test_a_dependent_with_another_living_owner_stays_and_forgets_the_dead_one(
    plane: ControlPlane,
) -> None:
    a, b = config(plane, "a"), config(plane, "b")
    config(plane, "c", a, b)
    await plane.settle()
    delete(plane, "a")
    await plane.settle()
    assert [one["name"] for one in plane.get("configmaps", "c")["metadata"]["ownerReferences"]] == ["b"]


@scenario(GarbageCollector)
async def test_an_object_made_for_an_owner_that_never_was_is_collected(plane: ControlPlane) -> None:
    ghost = {"metadata": {"name": "ghost", "uid": "00000000-0000-0000-0000-000000000000"}}
    config(plane, "c", ghost)
    await plane.settle()
    assert names(plane) == []


@scenario(GarbageCollector)
async def test_an_owner_of_the_same_name_but_another_uid_does_not_count(plane: ControlPlane) -> None:
    a = config(plane, "a")
    config(plane, "b", a)
    plane.registry.delete("configmaps", "a", "default")
    config(plane, "a")
    await plane.settle()
    assert names(plane) == ["a"]


@scenario(GarbageCollector)
async def test_an_owner_of_an_unknown_kind_is_not_judged(plane: ControlPlane) -> None:
    reference = {"apiVersion": "example.com/v1", "kind": "Widget", "name": "w", "uid": "u"}
    config(plane, "c", ownerReferences=[reference])
    await plane.settle()
    assert names(plane) == ["c"]


@scenario(GarbageCollector)
async def test_orphan_sets_the_dependents_free(plane: ControlPlane) -> None:
    a = config(plane, "a")
    config(plane, "b", a)
    await plane.settle()
    delete(plane, "a", "Orphan")
    await plane.settle()
    assert names(plane) == ["b"]
    assert not plane.get("configmaps", "b")["metadata"].get("ownerReferences")


@scenario(GarbageCollector)
async def test_foreground_waits_only_for_dependents_that_block(plane: ControlPlane) -> None:
    a = config(plane, "a")
    config(plane, "blocks", a, block=True, finalizers=["my/hook"])
    config(plane, "free", a, finalizers=["my/hook"])
    await plane.settle()
    delete(plane, "a", "Foreground")
    await plane.settle()
    assert names(plane) == ["a", "blocks", "free"]
    plane.registry.patch("configmaps", "blocks", {"metadata": {"finalizers": None}}, "default")
    await plane.settle()
    assert names(plane) == ["free"]
    assert "deletionTimestamp" in plane.get("configmaps", "free")["metadata"]
