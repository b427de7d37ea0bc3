"""Prose for a terminal: widths in cells, and where a line may break."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from kubetour.questions import flow
from kubetour.terminal.prose import print_prose, styled, wrap


@example(" PPP 。。。。", 12)
@given(st.text(alphabet="ab 中文，。（）Pod-", max_size=120), st.integers(12, 40))
def test_no_line_is_wider_than_asked_for_but_for_a_word_that_is(text: str, width: int) -> None:
    lines = [line.plain for line in wrap(Text(text), width)]
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for line in lines:
        assert cell_len(line) <= width or " " not in line.strip()


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 8, ["one two", "three"]),
        ("容器不是虚拟机，它是一个进程。", 14, ["容器不是虚拟", "机，它是一个进", "程。"]),
        ("看看 Deployment 和 Service", 12, ["看看", "Deployment", "和 Service"]),
        ("他说（真的）好", 6, ["他说", "（真", "的）好"]),
        ("averyverylongword x", 5, ["averyverylongword", "x"]),
        ("", 10, []),
    ],
    ids=["blanks", "no comma first", "Latin in Chinese", "no bracket last", "a long word", "nothing"],
)
def test_lines_break_where_a_reader_expects_it(text: str, width: int, lines: list[str]) -> None:
    assert [line.plain for line in wrap(Text(text), width)] == lines


def test_lines_of_a_file_are_joined_with_a_blank_only_between_latin_words() -> None:
    assert flow("one\ntwo") == "one two"
    assert flow("一个\n进程") == "一个进程"
    assert flow("一个\nPod") == "一个 Pod"


def test_inline_markdown_becomes_style_and_leaves_no_marks() -> None:
    text = styled("a **bold** and *soft* `code`")
    assert text.plain == "a bold and soft code"
    assert [text.plain[span.start : span.end] for span in text.spans] == ["bold", "soft", "code"]


def test_paragraphs_are_parted_by_an_empty_line() -> None:
    stream = io.StringIO()
    print_prose(Console(file=stream, width=20, force_terminal=False), "one\ntwo\n\nthree")
    assert stream.getvalue() == "one two\n\nthree\n"
