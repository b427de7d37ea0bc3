"""Questions on a terminal: as they look, and how they are answered."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.cells import cell_len
from rich.console import Console

from kubetour.questions import Prediction, Question
from kubetour.terminal.questions import Asker, print_answer, print_question

ASKED = {
    "en": Question(
        "How many Pods are *ready* at the moment at which the command `scale` returns?",
        (
            "all of them",
            "perhaps none: only the number is stored, and the controllers have hardly heard of it yet",
        ),
        1,
        "It returns when `spec.replicas` is stored.",
    ),
    "zh": Question(
        "命令 `scale` 返回的那一刻，有几个 Pod 已经*就绪*？",
        (
            "全部",
            "可能一个也没有：只存好了这个数，各个控制器才刚刚得知，调度器、kubelet 和容器运行时还没有动手",
        ),
        1,
        "`spec.replicas` 一存好，它就返回。",
    ),
}


def console() -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    out = Console(file=stream, width=80, force_terminal=False, highlight=False, markup=False, emoji=False)
    return out, stream


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_question_and_its_answers_read_as_recorded(
    language: str, golden: Callable[[str, str], None]
) -> None:
    out, stream = console()
    asked = ASKED[language]
    print_question(out, language, asked)
    out.print()
    for prediction in (None, Prediction(asked, 1), Prediction(asked, 0)):
        print_answer(out, language, asked, prediction)
    assert max(cell_len(line) for line in stream.getvalue().splitlines()) <= 80
    golden(f"question.{language}.txt", stream.getvalue())


def typing(*lines: str | None) -> Callable[[], str]:
    """Return a reader of lines; None is the end of the input, as of Ctrl-D."""
    left = iter(lines)

    def read() -> str:
        line = next(left)
        if line is None:
            raise EOFError
        return line

    return read


@pytest.mark.parametrize(
    ("typed", "chosen"),
    [
        pytest.param(("a",), 0, id="the first"),
        pytest.param((" B ",), 1, id="capital, with blanks"),
        pytest.param(("ｂ",), 1, id="full width, as Chinese input methods have it"),
        pytest.param(("",), None, id="Enter alone"),
        pytest.param(("c", "1", "ab", "yes", "b"), 1, id="something else first"),
        pytest.param((None,), None, id="Ctrl-D"),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_option_is_chosen_by_its_letter(
    typed: tuple[str | None, ...], chosen: int | None, language: str
) -> None:
    out, stream = console()
    assert Asker(out, language, typing(*typed))(ASKED[language]) == chosen
    assert stream.getvalue().count("Enter") == 2 * len(typed) - 1


def test_after_ctrl_d_nothing_is_asked_any_more() -> None:
    out, stream = console()
    ask = Asker(out, "en", typing(None))
    assert ask(ASKED["en"]) is None
    told = stream.getvalue()
    assert "No more questions" in told
    assert ask(ASKED["en"]) is None
    assert stream.getvalue() == told


def test_ctrl_c_ends_the_tour() -> None:
    def read() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Asker(console()[0], "en", read)(ASKED["en"])


def test_what_is_no_text_is_asked_again() -> None:
    left = iter([b"\xff", b"a"])
    assert Asker(console()[0], "en", lambda: next(left).decode())(ASKED["en"]) == 0
