"""The live picture: recorded in many situations, and never wider or higher than it may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kubetour.podstatus import Mood
from kubetour.terminal.live import MARKS, Traffic, picture
from kubetour.terminal.scene import Scene
from kubetour.text import LANGUAGES
from tests.terminal.scenes import SITUATIONS, asked, moment

SIZES = ((60, 22), (80, 22), (120, 30))
SCENES = {name: moment(*items) for name, items in SITUATIONS.items()}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_it_looks_as_recorded(situation: str, language: str, golden: Callable[[str, str], None]) -> None:
    parts = []
    for traffic in (None, asked(SCENES[situation])):
        for width, height in SIZES:
            drawn = picture(SCENES[situation], language, width, height, traffic).plain
            parts += [f"{width} x {height}{', with requests' if traffic else ''}", "-" * width, drawn, ""]
    golden(f"live/{situation.replace(' ', '-')}.{language}.txt", "\n".join(parts))


@given(
    st.sampled_from(sorted(SITUATIONS)),
    st.sampled_from(LANGUAGES),
    st.integers(20, 200),
    st.integers(14, 80),
    st.booleans(),
)
def test_it_is_never_wider_nor_higher_than_the_window(
    situation: str, language: str, width: int, height: int, is_asked: bool
) -> None:
    there = SCENES[situation]
    lines = picture(there, language, width, height, asked(there, 7) if is_asked else None).plain.split("\n")
    assert max(map(cell_len, lines)) <= width
    assert len(lines) <= height


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_with_all_the_room_there_is_each_pod_has_its_whole_name(situation: str, language: str) -> None:
    there = SCENES[situation]
    drawn = picture(there, language, 120).plain
    assert all(drawn.count(pod.name) == 1 for pod in there.pods)
    assert all(f" {node.name} " in drawn for node in there.nodes)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_edges_of_boxes_stand_below_each_other(language: str) -> None:
    drawn = picture(SCENES["steady"], language, 120).plain.split("\n")
    boxes = [line.rstrip() for line in drawn if line.startswith(("┌", "│", "└"))]
    assert len({cell_len(line) for line in boxes}) == 1


def one(mood: Mood, endpoint: bool | None = None) -> Scene:
    there = SCENES["steady"]
    return replace(there, pods=(replace(there.pods[0], mood=mood, endpoint=endpoint),))


@pytest.mark.parametrize("height", [None, 14], ids=["each by name", "counted"])
def test_without_colour_every_kind_of_state_is_another_symbol(height: int | None) -> None:
    drawn = {mood: picture(one(mood), "en", 80, height).plain for mood in Mood}
    assert len(set(drawn.values())) == len(Mood)
    assert all(MARKS[mood][0] in text for mood, text in drawn.items())


def test_without_colour_a_ready_endpoint_another_and_none_are_told_apart() -> None:
    rows = {
        endpoint: next(
            line for line in picture(one(Mood.READY, endpoint), "en", 80).plain.split("\n") if "1/1" in line
        )
        for endpoint in (True, False, None)
    }
    assert ["▶" in rows[True], "▷" in rows[False], "▶" in rows[None] or "▷" in rows[None]] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("traffic", "says"),
    [
        (Traffic(2, is_on=False), "Requests, 2 a second  none has got through yet"),
        (Traffic(5, 7, 0), "Requests, 5 a second  7 answered  0 failed"),
        (Traffic(5, 7, 3, is_on=False), "Requests, 5 a second  7 answered  3 failed"),
    ],
    ids=["no way yet", "a way", "the way is gone"],
)
def test_the_head_tells_of_requests(traffic: Traffic, says: str) -> None:
    assert says in picture(SCENES["steady"], "en", 80, None, traffic).plain


def test_a_pod_that_is_an_endpoint_and_has_not_answered_has_a_zero() -> None:
    drawn = picture(SCENES["steady"], "en", 80, None, Traffic(2)).plain
    assert drawn.count("▶   0") == 3


def test_what_fails_is_red_and_what_is_ready_green() -> None:
    drawn = picture(SCENES["failing"], "en", 80)
    styles = {
        str(span.style)
        for span in drawn.spans
        if drawn.plain[span.start : span.end].strip() == "CrashLoopBackOff ↻4"
    }
    assert styles == {"red"}
