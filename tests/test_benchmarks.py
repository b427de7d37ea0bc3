"""What benchmarks make of their figures. How fast anything is, no test asks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.limit import busy, critical
from benchmarks.measure import against
from benchmarks.results import Ratio, Result, document, slower


def a_run(value: float, *rounds: float, **bound: float) -> dict[str, Result]:
    return {"tour": Result([Ratio("ours to theirs", value, rounds, **bound)])}


@pytest.mark.parametrize(
    ("value", "bound", "holds"),
    [
        pytest.param(1.1, {"most": 1.15}, True, id="below the most"),
        pytest.param(1.2, {"most": 1.15}, False, id="above the most"),
        pytest.param(0.7, {"least": 0.6}, True, id="above the least"),
        pytest.param(0.5, {"least": 0.6}, False, id="below the least"),
        pytest.param(9.0, {}, True, id="no bound"),
    ],
)
def test_a_bound_holds_or_not_and_the_line_says_so(value: float, bound: dict[str, Any], holds: bool) -> None:
    ratio = Ratio("r", value, **bound)
    assert ratio.holds is holds
    assert ("DOES NOT HOLD" in ratio.line()) is not holds
    assert Result([ratio]).held is holds


@pytest.mark.parametrize(
    ("old", "new", "bound", "worse"),
    [
        pytest.param((1.0,), (1.05,), {"most": 2}, False, id="within the noise that there always is"),
        pytest.param((1.0,), (1.2,), {"most": 2}, True, id="slower"),
        pytest.param((1.0,), (0.5,), {"most": 2}, False, id="faster"),
        pytest.param((1.0,), (0.8,), {"least": 0.1}, True, id="less of what is wanted"),
        pytest.param((1.0,), (1.5,), {"least": 0.1}, False, id="more of what is wanted"),
        pytest.param((1.0, 0.7, 1.0, 1.3), (1.2,), {"most": 2}, False, id="no more than rounds differ"),
        pytest.param((1.0, 1.0, 1.0, 1.0), (1.2, 1.2, 1.2, 1.21), {"most": 2}, True, id="steady and slower"),
    ],
)
def test_a_slow_down_is_told_from_noise_by_ratio(
    old: tuple[float, ...], new: tuple[float, ...], bound: dict[str, float], worse: bool
) -> None:
    before = json.loads(json.dumps(document(a_run(*old, **bound))))
    lines = slower(a_run(*new, **bound), before)
    assert bool(lines) is worse
    assert all("tour: ours to theirs: " in line for line in lines)


def test_what_only_one_run_has_is_not_compared() -> None:
    before = document({"tour": Result([Ratio("another", 1.0)]), "gone": Result([Ratio("r", 1.0)])})
    assert slower(a_run(9.0), before) == []


def test_a_document_names_the_machine_and_keeps_every_round() -> None:
    found = document(a_run(2.0, 1.0, 2.0, 3.0, most=4.0))
    assert {"at", "cores", "load", "python", "system"} <= set(found["machine"])
    (ratio,) = found["benchmarks"]["tour"]
    assert ratio == {
        "name": "ours to theirs",
        "value": 2.0,
        "median": 2.0,
        "spread": 0.5,
        "rounds": [1.0, 2.0, 3.0],
        "most": 4.0,
        "least": None,
        "holds": True,
    }


def test_rounds_are_compared_in_pairs() -> None:
    assert against([2.0, 9.0], [1.0, 3.0]) == [2.0, 3.0]


def command(started: float, seconds: float) -> dict[str, float]:
    return {"started": started, "seconds": seconds}


@pytest.mark.parametrize(
    ("commands", "seconds"),
    [
        ([], 0.0),
        ([(0.0, 1.0), (2.0, 1.0)], 2.0),
        ([(0.0, 3.0), (1.0, 1.0)], 3.0),
        ([(2.0, 2.0), (1.0, 2.0)], 3.0),
    ],
    ids=["none", "one after another", "one within another", "side by side for a while"],
)
def test_commands_that_run_side_by_side_count_once(
    commands: list[tuple[float, float]], seconds: float
) -> None:
    assert busy(command(*each) for each in commands) == seconds


def test_the_longest_chain_has_what_runs_early_beside_the_other_steps() -> None:
    def step(id: str, asked: float, act: float, confirm: float) -> dict[str, object]:
        asks, acts, confirms = command(0.0, asked), command(asked, act), command(asked + act, confirm)
        return {"step": id, "asked": [asks], "commands": [acts], "confirm": [confirms]}

    steps = [
        step("build", 0.0, 6.0, 1.0),
        step("create-cluster", 0.5, 15.5, 14.0),
        step("nodes", 0.0, 1.0, 0.0),
    ]
    record = {"steps": [*steps, step("load", 1.0, 6.0, 1.0), step("deploy", 0.0, 1.0, 2.0)]}
    assert critical({"steps": steps[:1]}) == 7.0
    assert critical({"steps": steps}) == 16.0 + 14.0 + 1.0
    assert critical(record) == 31.0 + 3.0, "the image is loaded before the nodes are Ready"
