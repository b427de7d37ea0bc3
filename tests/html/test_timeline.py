"""The timeline: what ran when, and what ran in the background before its turn."""

from __future__ import annotations

from typing import Any

import pytest

from kubetour.html.bars import Bar
from kubetour.html.timeline import early, spans, timeline
from tests.html import sample


def step(started: float, *commands: tuple[float | None, float]) -> dict[str, Any]:
    records = [{"started": begun, "seconds": seconds} for begun, seconds in commands]
    return {
        "step": "one",
        "ok": True,
        "started": started,
        "seconds": 2.0,
        "waited": 0.0,
        "commands": records,
        "confirm": [],
    }


@pytest.mark.parametrize(
    ("record", "drawn", "seconds"),
    [
        pytest.param(
            step(3.0, (3.0, 1.0)), [Bar(3.0, 5.0, "proof", 5), Bar(3.0, 4.0, "command", 2)], 0.0, id="in turn"
        ),
        pytest.param(
            step(3.0, (0.5, 1.0)), [Bar(3.0, 5.0, "proof", 5), Bar(0.5, 1.5, "early", 2)], 2.5, id="early"
        ),
        pytest.param(
            step(3.0, (2.999, 1.0)),
            [Bar(3.0, 5.0, "proof", 5), Bar(2.999, 3.999, "command", 2)],
            0.0,
            id="rounded",
        ),
        pytest.param(step(3.0, (None, 1.0)), [Bar(3.0, 5.0, "proof", 5)], 0.0, id="not known when"),
    ],
)
def test_a_steps_bars(record: dict[str, Any], drawn: list[Bar], seconds: float) -> None:
    assert list(spans(record)) == drawn
    assert early(record) == seconds


def test_every_step_has_a_row_in_order() -> None:
    document = sample.documents(sample.failed())["en"]
    shown = timeline(document, lambda name: name)  # type: ignore[arg-type,return-value]
    assert [row["id"] for row in shown["rows"]] == [each["step"] for each in document["steps"]]
    assert shown["early"]
    assert [row["ok"] for row in shown["rows"]][-1] is False


def test_what_a_person_was_waited_for_is_cut_out_even_of_what_ran_meanwhile() -> None:
    first, second = step(1.0, (1.0, 2.0)), step(23.0, (0.5, 21.5))  # 20 seconds of thought, from 3 on
    second["waited"] = 20.0
    shown, without = (
        timeline({"steps": steps}, str)  # type: ignore[arg-type]
        for steps in ([first, second], [first, step(3.0, (0.5, 2.5))])
    )
    assert shown["scale"] == without["scale"]
    assert [row["bars"] for row in shown["rows"]] == [row["bars"] for row in without["rows"]]
    assert shown["rows"][1]["seconds"] == 2.0


def test_a_run_without_steps_has_no_row() -> None:
    assert timeline({"steps": []}, str)["rows"] == []  # type: ignore[arg-type]
