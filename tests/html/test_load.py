"""Requests over time: each column as high as its count, failures upon it, and every Pod's share."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.html.load import COLUMNS, HEIGHT, MOST, TOP, load
from tests.html.sample import LOAD, PODS

RECT = re.compile(r'<rect class="(\w+)" x="([\d.]+)%" width="([\d.]+)%" y="([\d.]+)" height="([\d.]+)"/>')
COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), max_size=60)


def rects(drawing: object) -> list[tuple[str, float, float, float, float]]:
    return [
        (kind, float(x), float(width), float(y), float(height))
        for kind, x, width, y, height in RECT.findall(str(drawing))
    ]


def of(counts: list[tuple[int, int]], marks: tuple[float, ...] = ()) -> dict[str, Any]:
    seconds = [
        {"at": at, "ok": ok, "failed": failed, "by": {"web-1": ok} if ok else {}}
        for at, (ok, failed) in enumerate(counts)
    ]
    return {
        "rate": 10.0,
        "requests": sum(map(sum, counts)),
        "failed": sum(failed for _, failed in counts),
        "seconds": seconds,
        "marks": [{"at": at, "text": f"do {at}"} for at in marks],
    }


def test_failures_stand_upon_what_was_answered_and_are_said_in_words() -> None:
    shown = load(LOAD)
    drawn = rects(shown["drawing"])
    assert [kind for kind, *_ in drawn] == ["ok", "ok", "ok", "failed"]
    (answered, failed) = drawn[1], drawn[3]
    assert failed[1] == answered[1] == pytest.approx(100 / 3, abs=0.01)
    assert failed[3] + failed[4] == pytest.approx(answered[3], abs=0.15)
    assert answered[4] / failed[4] == pytest.approx(46 / 4, rel=0.02)
    assert shown["failures"] == "1 s: 4"
    assert "150 requests, 50 a second; 4 failed." in shown["sum"]


def test_each_pod_has_a_row_in_the_order_of_its_first_answer_with_its_share() -> None:
    rows = load(LOAD)["rows"]
    assert [(row["name"], row["count"], row["share"]) for row in rows] == [
        (PODS[0], 100, "68 %"),
        (PODS[1], 36, "25 %"),
        (PODS[2], 10, "7 %"),
    ]
    assert [len(rects(row["columns"])) for row in rows] == [3, 2, 1]


def test_a_mark_stands_at_its_time_and_is_told_below() -> None:
    shown = load(of([(1, 0)] * 4, marks=(1.0, 9.5)))
    assert re.findall(r'class="command-mark" x1="([\d.]+)%"', str(shown["drawing"])) == ["10.00", "95.00"]
    assert re.findall(r'class="number-mark"[^>]*>(\d)<', str(shown["drawing"])) == ["1", "2"]
    assert shown["marks"] == [("1.0 s", "do 1.0"), ("9.5 s", "do 9.5")]


@given(COUNTS)
def test_no_column_leaves_the_drawing_and_none_is_invisible(counts: list[tuple[int, int]]) -> None:
    drawn = rects(load(of(counts))["drawing"])
    assert len(drawn) == sum((ok > 0) + (failed > 0) for ok, failed in counts)
    for _, x, width, y, height in drawn:
        assert x + width <= 100.01
        assert height >= 1.5
        assert y >= TOP - 3
        assert y + height <= HEIGHT + 0.2


def test_of_a_long_time_several_seconds_share_a_column_and_none_is_lost() -> None:
    shown = load(of([(10, 0)] * 1000))
    assert len(rects(shown["drawing"])) <= COLUMNS
    assert shown["rows"][0]["count"] == 10_000


def test_no_request_at_all_is_a_picture_too() -> None:
    shown = load(of([]))
    assert rects(shown["drawing"]) == []
    assert shown["rows"] == []
    assert "0 requests" in shown["sum"]


@pytest.mark.parametrize("count", [MOST, MOST + 1])
def test_of_very_many_pods_the_rest_is_a_number(count: int) -> None:
    data = of([(1, 0)])
    data["seconds"][0]["by"] = {f"web-{i:03}": 1 for i in range(count)}
    shown = load(data)
    assert len(shown["rows"]) == MOST
    assert bool(shown["more"]) == (count > MOST)
