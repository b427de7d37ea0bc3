"""The arithmetic of rollouts: tables from Kubernetes' rules, and what must hold for every rollout."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.embedded.api import Object
from kubetour.embedded.deployment_rolling import is_scaling, new_size, old_sizes, scaled_sizes
from kubetour.embedded.deployment_util import fenceposts, max_surge, max_unavailable, resolve


def make(replicas: int, surge: Any = "25%", unavailable: Any = "25%", kind: str = "RollingUpdate") -> Object:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    return {"spec": {"replicas": replicas, "strategy": {"type": kind, "rollingUpdate": rolling}}}


def rs(name: str, replicas: int, available: int | None = None, desired: int = -1, most: int = -1) -> Object:
    annotations = {
        "deployment.kubernetes.io/desired-replicas": str(desired if desired >= 0 else replicas),
        "deployment.kubernetes.io/max-replicas": str(most if most >= 0 else replicas),
    }
    metadata = {
        "name": name,
        "uid": name,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "annotations": annotations,
    }
    number = replicas if available is None else available
    return {"metadata": metadata, "spec": {"replicas": replicas}, "status": {"availableReplicas": number}}


@pytest.mark.parametrize(
    ("value", "of", "up", "down"),
    [
        (3, 10, 3, 3),
        ("25%", 1, 1, 0),
        ("25%", 4, 1, 1),
        ("25%", 10, 3, 2),
        ("0%", 10, 0, 0),
        ("100%", 7, 7, 7),
    ],
)
def test_percentages_round_up_for_surge_and_down_for_unavailable(
    value: Any, of: int, up: int, down: int
) -> None:
    assert (resolve(value, of, up=True), resolve(value, of, up=False)) == (up, down)


def test_with_neither_surge_nor_unavailable_one_pod_may_lack() -> None:
    assert fenceposts(make(4, 0, "10%")) == (0, 1)
    assert max_unavailable(make(0)) == 0
    assert max_surge(make(4, kind="Recreate")) == 0


@pytest.mark.parametrize(
    ("replicas", "surge", "old", "new", "size"),
    [
        (10, 0, 10, 0, 0),
        (10, 2, 10, 0, 2),
        (10, 2, 5, 0, 7),
        (10, 2, 10, 2, 2),
        (10, 2, 2, 8, 10),
        (3, 0, 0, 5, 3),
        (3, "25%", 0, 0, 3),
    ],
)
def test_the_new_replica_set_takes_the_room_there_is(
    replicas: int, surge: Any, old: int, new: int, size: int
) -> None:
    one, other = rs("old", old), rs("new", new)
    assert new_size(make(replicas, surge, 1), [one, other], other) == size


def test_an_available_pod_that_is_about_to_be_deleted_does_not_count() -> None:
    old, new = rs("old", 2, available=3), rs("new", 1)
    assert old_sizes(make(2), [old], new) == {"old": 1}


@pytest.mark.parametrize(
    ("replicas", "unavailable", "old", "new", "sizes"),
    [
        (10, 0, [(10, 10)], (0, 0), {}),
        (10, 2, [(10, 10)], (0, 0), {"old0": 8}),
        (10, 2, [(10, 8)], (0, 0), {"old0": 8}),
        (10, 2, [(10, 10)], (2, 0), {"old0": 8}),
        (10, 2, [(8, 8)], (2, 2), {"old0": 6}),
        (10, 0, [(10, 10)], (2, 2), {"old0": 8}),
        (3, 0, [(3, 0)], (1, 0), {}),
        (3, 1, [(2, 0), (1, 1)], (1, 1), {"old0": 0}),
        (10, 0, [(0, 0)], (10, 10), {}),
    ],
)
def test_old_replica_sets_shrink_by_what_can_be_spared(
    replicas: int, unavailable: int, old: list[tuple[int, int]], new: tuple[int, int], sizes: dict[str, int]
) -> None:
    sets = [rs(f"old{index}", *one) for index, one in enumerate(old)]
    assert old_sizes(make(replicas, 1, unavailable), sets, rs("new", *new)) == sizes


@pytest.mark.parametrize(
    ("replicas", "surge", "old", "new", "sizes"),
    [
        (5, 1, {}, rs("new", 3), {"new": 5}),
        (0, 1, {}, rs("new", 3), {"new": 0}),
        (5, 1, {"old": rs("old", 3)}, None, {"old": 5}),
        (5, 1, {"old": rs("old", 3)}, rs("new", 5, desired=5), {"old": 0}),
        # From 10 to 15 in a rollout with maxSurge 3: the documentation's example of proportional scaling.
        (
            15,
            3,
            {"old": rs("old", 8, desired=10, most=13)},
            rs("new", 5, 0, desired=10, most=13),
            {"old": 11, "new": 7},
        ),
        (
            5,
            3,
            {"old": rs("old", 8, desired=10, most=13)},
            rs("new", 5, desired=10, most=13),
            {"old": 5, "new": 3},
        ),
        (0, 3, {"old": rs("old", 8, desired=10)}, rs("new", 5, desired=10), {"old": 0, "new": 0}),
    ],
    ids=["one", "to none", "only an old one", "complete", "grow", "shrink", "all to none"],
)
def test_scaling_keeps_the_proportions_of_a_rollout(
    replicas: int, surge: int, old: dict[str, Object], new: Object | None, sizes: dict[str, int]
) -> None:
    assert scaled_sizes(make(replicas, surge, 2), list(old.values()), new) == sizes


def test_a_changed_replica_count_is_seen_by_the_annotation() -> None:
    assert is_scaling(make(5), [rs("a", 3)])
    assert not is_scaling(make(3), [rs("a", 3), rs("b", 0, desired=9)])


@given(
    replicas=st.integers(1, 30),
    surge=st.one_of(st.integers(0, 10), st.integers(0, 100).map("{}%".format)),
    unavailable=st.one_of(st.integers(0, 10), st.integers(0, 100).map("{}%".format)),
    data=st.data(),
)
def test_every_rollout_ends_and_never_leaves_its_bounds(
    replicas: int, surge: Any, unavailable: Any, data: st.DataObject
) -> None:
    """Simulated with Pods that become available in any order: at most replicas + maxSurge Pods, and what is
    available never falls below replicas - maxUnavailable by the rollout's own doing."""
    wanted = make(replicas, surge, unavailable)
    old, new = rs("old", replicas), rs("new", 0)
    for _ in range(1000):
        size = new_size(wanted, [old, new], new)
        if size != new["spec"]["replicas"]:
            new["spec"]["replicas"] = size
        else:
            for name, left in old_sizes(wanted, [old], new).items():
                assert name == "old"
                old["spec"]["replicas"] = left
                old["status"]["availableReplicas"] = min(old["status"]["availableReplicas"], left)
        total = old["spec"]["replicas"] + new["spec"]["replicas"]
        available = old["status"]["availableReplicas"] + new["status"]["availableReplicas"]
        assert total <= replicas + max_surge(wanted)
        assert available >= replicas - max_unavailable(wanted)
        if (old["spec"]["replicas"], new["status"]["availableReplicas"]) == (0, replicas):
            return
        coming = new["spec"]["replicas"] - new["status"]["availableReplicas"]
        new["status"]["availableReplicas"] += data.draw(st.integers(min(coming, 1), coming)) if coming else 0
    raise AssertionError("the rollout does not end")


@given(
    before=st.integers(1, 50),
    after=st.integers(0, 50),
    surge=st.integers(0, 10),
    parts=st.lists(st.integers(1, 20), min_size=2, max_size=4),
)
def test_proportional_scaling_ends_at_exactly_the_allowed_total(
    before: int, after: int, surge: int, parts: list[int]
) -> None:
    sets = [rs(f"rs{index}", size, 0, before, before + surge) for index, size in enumerate(parts)]
    sizes = scaled_sizes(make(after, surge, 1), sets[:-1], sets[-1])
    assert all(size >= 0 for size in sizes.values())
    allowed = after + max_surge(make(after, surge, 1)) if after else 0
    # Rounding may take from one what the largest alone cannot give back; never is the total exceeded.
    assert sum(sizes.values()) >= allowed
    if sum(parts) <= allowed:
        assert sum(sizes.values()) == allowed
