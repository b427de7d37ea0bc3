"""Commands on the page: bounded, and what was repeated stands once."""

from __future__ import annotations

from typing import Any

import pytest

from kubetour.html.commands import MOST, MOST_COMMANDS, commands
from tests.html.sample import HOSTILE


def record(text: str = "x", stdout: str = "", stderr: str = "", status: int = 0) -> dict[str, Any]:
    return {
        "text": text,
        "status": status,
        "started": 0.0,
        "seconds": 1.0,
        "stdout": stdout,
        "stderr": stderr,
    }


def test_a_command_that_was_repeated_stands_once_with_what_it_printed_last() -> None:
    (shown,) = commands([record(stdout="a"), record(stdout="b"), record(stdout="c")])
    assert shown["stdout"] == "c"
    assert "3 times" in shown["repeated"]
    assert commands([record()])[0]["repeated"] == ""


def test_of_very_many_commands_the_last_are_shown() -> None:
    shown = commands(record(str(i)) for i in range(MOST_COMMANDS + 5))
    assert [item["text"] for item in shown] == [str(i) for i in range(5, MOST_COMMANDS + 5)]
    assert "5" in shown[0]["earlier"]
    assert shown[1]["earlier"] == ""


def test_a_megabyte_is_cut_and_the_page_says_so() -> None:
    (shown,) = commands([record(stdout="x" * 1_000_000, stderr="y" * (MOST + 1))])
    assert (len(shown["stdout"]), len(shown["stderr"])) == (MOST, MOST)
    assert str(1_000_001 - MOST) in shown["cut"]


@pytest.mark.parametrize(
    ("stdout", "said"), [("", ""), ("a\n", "Output (1 line)"), ("a\nb", "Output (2 lines)"), ("\n\n", "")]
)
def test_the_lines_are_counted(stdout: str, said: str) -> None:
    assert said in commands([record(stdout=stdout)])[0]["summary"]
    assert bool(said) == bool(commands([record(stdout=stdout)])[0]["summary"])


def test_what_a_terminal_would_obey_is_gone() -> None:
    (shown,) = commands([record(stdout=HOSTILE)])
    assert not {"\x1b", "\x07", "\x00", "\u202e"} & set(shown["stdout"])
