"""Where the live picture appears: drawn anew on a terminal, a line for each change on a pipe."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from kubetour.terminal.live import Traffic
from kubetour.terminal.screen import Lines, Screen
from kubetour.text import Text
from tests.serving import FakeClock
from tests.shapes import node
from tests.terminal.scenes import SITUATIONS, asked, moment

STEADY = moment(*SITUATIONS["steady"])
TITLE = Text("live.title", {"context": "kind-x", "namespace": "default"})
INTO_SCREEN, OUT_OF_SCREEN, SHOW_CURSOR = "\x1b[?1049h", "\x1b[?1049l", "\x1b[?25h"


def terminal(colour: bool = True, width: int = 80) -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    console = Console(
        file=stream,
        force_terminal=True,
        color_system="standard" if colour else None,
        width=width,
        height=24,
        legacy_windows=False,
    )
    return console, stream


def pipe() -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    return Console(file=stream, force_terminal=False, width=80, highlight=False, markup=False), stream


def test_a_picture_is_drawn_only_if_something_is_new() -> None:
    console, stream = terminal()
    with Screen(console, "en", TITLE) as screen:
        assert screen.show(STEADY, None, "")
        drawn = stream.getvalue()
        assert not screen.show(STEADY, None, "")
        assert stream.getvalue() == drawn
        assert screen.show(STEADY, asked(STEADY), "")
        console.height = 20
        assert screen.show(STEADY, asked(STEADY), "")


def test_afterwards_the_last_picture_stays_on_the_ordinary_screen() -> None:
    console, stream = terminal(colour=False)
    with Screen(console, "en", TITLE) as screen:
        screen.show(moment(), None, "")
        screen.show(STEADY, None, "")
    during, _, after = stream.getvalue().partition(OUT_OF_SCREEN)
    assert INTO_SCREEN in during
    assert "kind-x, namespace default · Ctrl-C ends this" in during
    assert SHOW_CURSOR in during + after
    assert after.count("Service node-hostname") == 1
    assert "Ctrl-C" not in after


def test_a_screen_on_which_nothing_was_shown_leaves_nothing() -> None:
    console, stream = terminal()
    with Screen(console, "en", TITLE):
        pass
    assert stream.getvalue() == ""


@pytest.mark.parametrize(("colour", "expected"), [(True, True), (False, False)])
def test_colours_are_left_out_where_they_are_not_wanted(colour: bool, expected: bool) -> None:
    console, stream = terminal(colour)
    with Screen(console, "en", TITLE) as screen:
        screen.show(STEADY, None, "")
    assert bool(re.search(r"\x1b\[[0-9;]*m", stream.getvalue())) is expected


def test_a_cluster_that_does_not_answer_is_told_above_the_picture() -> None:
    console, stream = terminal(colour=False)
    with Screen(console, "en", TITLE) as screen:
        screen.show(STEADY, None, "Connection refused\x1b[2J")
        assert "does not answer" in stream.getvalue()
        assert "\x1b[2J" not in stream.getvalue()


def test_a_pipe_gets_a_line_for_each_change_and_nothing_twice() -> None:
    console, stream = pipe()
    clock = FakeClock(0.5)
    with Lines(console, "en", clock.monotonic) as lines:
        for seen in (moment(node("n")), moment(node("n")), moment(node("n", ready="False"))):
            lines.show(seen, None, "")
    assert stream.getvalue() == "     0.5 s  node/n  Ready\n     1.0 s  node/n  NotReady\n"


def test_a_pipe_is_told_of_the_first_answers_of_failures_and_at_the_end_what_all_came_to() -> None:
    console, stream = pipe()
    there = replace(STEADY, nodes=(), pods=(), service=None, deployment=None)
    with Lines(console, "zh", FakeClock().monotonic) as lines:
        for traffic in (Traffic(2, 2), Traffic(2, 3, 1), Traffic(2, 5, 1, {"b": 3, "a": 2})):
            lines.show(there, traffic, "")
    assert [line.partition(" s  ")[2] for line in stream.getvalue().splitlines()] == [
        "requests  2 个有应答  0 个失败",
        "requests  3 个有应答  1 个失败",
        "requests  5 个有应答  1 个失败",
        "requests/a  2",
        "requests/b  3",
    ]


def test_a_pipe_is_told_once_that_the_cluster_does_not_answer() -> None:
    console, stream = pipe()
    with Lines(console, "en", FakeClock().monotonic) as lines:
        for trouble in ("refused", "refused", "", "refused"):
            lines.show(moment(), None, trouble)
    assert stream.getvalue().count("does not answer") == 2
