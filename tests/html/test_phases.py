"""The way of new Pods: each phase from the one before it, and what was not seen is left out."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.html.bars import Bar
from kubetour.html.phases import FEW, MOST, PHASES, phases, spans
from tests.html.sample import PODS, TIMELINE

KINDS = {"mark", *(f"until-{name}" for name in PHASES[1:])}
TIMES = st.lists(st.one_of(st.none(), st.floats(0, 100)), min_size=6, max_size=6)


def pod(*times: float | None, name: str = "web-1") -> dict[str, Any]:
    return {"name": name, "node": "worker", **dict(zip(PHASES, times, strict=True))}


@pytest.mark.parametrize(
    ("times", "drawn"),
    [
        pytest.param(
            (0.0, 0.125, 0.25, 0.5, 1.0, 2.0),
            [
                Bar(0, 0, "mark", 2),
                Bar(0, 125, "until-scheduled", 2),
                Bar(125, 250, "until-pulled", 2),
                Bar(250, 500, "until-started", 2),
                Bar(500, 1000, "until-ready", 2),
                Bar(1000, 2000, "until-endpoint", 2),
            ],
            id="all",
        ),
        pytest.param(
            (0.0, None, None, 0.5, None, 2.0),
            [Bar(0, 0, "mark", 2), Bar(0, 500, "until-started", 2), Bar(500, 2000, "until-endpoint", 2)],
            id="some not seen",
        ),
        pytest.param(
            (0.5, 0.25, None, None, None, 1.0),
            [Bar(500, 500, "mark", 2), Bar(500, 1000, "until-endpoint", 2)],
            id="in the other order",
        ),
        pytest.param((None,) * 6, [], id="nothing seen"),
    ],
)
def test_a_pods_bars(times: tuple[float | None, ...], drawn: list[Bar]) -> None:
    assert list(spans(pod(*times))) == drawn


@given(TIMES)
def test_bars_never_overlap_and_are_of_kinds_that_the_legend_has(times: list[float | None]) -> None:
    drawn = list(spans(pod(*times)))
    assert {bar.kind for bar in drawn} <= KINDS
    assert all(one.end <= other.start for one, other in pairwise(drawn))


def test_the_table_has_the_milliseconds_of_every_phase() -> None:
    shown = phases(TIMELINE)
    assert [row["name"] for row in shown["owners"]] == ["Deployment", "ReplicaSet"]
    assert [row["total"] for row in shown["owners"]] == ["4", "9"]
    assert shown["table"] == [
        (PODS[1], "–", ["13", "–", "–", "–", "–", "–"]),
        (PODS[0], "worker", ["12", "20", "310", "450", "1,502", "1,520"]),
    ]
    assert shown["few"]


def test_the_pod_that_was_there_first_stands_first() -> None:
    pods = [pod(0, 0, 0, 0, 0, end, name=name) for end, name in ((3.0, "c"), (1.0, "a"), (2.0, "b"))]
    shown = phases({"deployment": None, "replicaset": None, "pods": pods})
    assert [row["name"] for row in shown["rows"]] == ["a", "b", "c"]
    assert shown["owners"] == []


@pytest.mark.parametrize("count", [0, FEW + 1, MOST, MOST + 1])
def test_many_pods_have_a_row_each_up_to_a_number(count: int) -> None:
    pods = [pod(0, 1, 2, 3, 4, 5, name=f"web-{i}") for i in range(count)]
    shown = phases({"deployment": 0.0, "replicaset": 0.0, "pods": pods})
    assert len(shown["rows"]) == len(shown["table"]) == min(count, MOST)
    assert bool(shown["more"]) == (count > MOST)
    assert shown["few"] == (count <= FEW)
