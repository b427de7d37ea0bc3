"""What gets through to a terminal: text and nothing that it would obey."""

from __future__ import annotations

import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.terminal.console import WIDEST, harmless, make

PIECES = st.lists(
    st.one_of(
        st.text(max_size=5),
        st.sampled_from(
            [
                "\x1b[31m",
                "\x1b[2J",
                "\x1b]0;t\x07",
                "\x1b]8;;u\x1b\\",
                "\x1b[",
                "\x1b",
                "\x9b31m",
                "\x07",
                "\r",
                "\u202e",
            ]
        ),
    ),
    max_size=8,
).map("".join)


@given(PIECES)
def test_no_control_character_ever_gets_through(text: str) -> None:
    left = {char for char in harmless(text) if unicodedata.category(char) == "Cc"}
    assert left <= {"\t", "\n"}
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069").intersection(harmless(text))


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs"])))
def test_plain_text_in_any_language_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("over\rwritten", "overwritten"),
        ("a\tb", "a\tb"),
        ("\x1b\x1b[31m[31mx", "[31mx"),
        ("节点 ✓", "节点 ✓"),
    ],
)
def test_a_sequence_goes_whole(text: str, left: str) -> None:
    assert harmless(text) == left


def test_on_a_pipe_there_is_no_colour_and_no_markup() -> None:
    stream = io.StringIO()
    out = make(stream)
    out.print("[bold]x[/bold] :smile:", style="bold red")
    assert stream.getvalue() == "[bold]x[/bold] :smile:\n"
    assert out.width <= WIDEST
