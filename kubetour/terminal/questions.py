"""Questions on a terminal: asked before a step, answered by a letter, and told after its proof."""

from __future__ import annotations

import sys
import termios
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from kubetour.interrupts import readable
from kubetour.questions import LETTERS, Prediction, Question
from kubetour.terminal.prose import print_prose, styled, wrap
from kubetour.text import say

if TYPE_CHECKING:
    from rich.console import Console

INDENT = "  "


def print_question(console: Console, language: str, question: Question) -> None:
    """Print a question and its options, each after a letter."""
    print_prose(console, say(language, "tour.think", question=question.text))
    for letter, option in zip(LETTERS, question.options, strict=False):
        first = f"{INDENT}{letter}) "
        for line in wrap(styled(option), console.width - len(first)):
            console.print(styled(first).append_text(line), soft_wrap=True)
            first = " " * len(first)


def print_answer(console: Console, language: str, question: Question, prediction: Prediction | None) -> None:
    """Print the answer, and where there was a prediction, whether it was right."""
    told = {"right": LETTERS[question.right], "answer": question.answer}
    if prediction is None:
        said = say(language, "tour.answer", **told)
    elif prediction.correct:
        said = say(language, "tour.right", **told)
    else:
        said = say(language, "tour.wrong", chosen=LETTERS[prediction.chosen], **told)
    print_prose(console, said)


class Asker:
    """Asks for a letter until one of the options is named; the end of the input ends the asking for good."""

    def __init__(self, console: Console, language: str, read: Callable[[], str] | None = None) -> None:
        self._console = console
        self._language = language
        self._read = read or typed
        self._over = False

    def __call__(self, question: Question) -> int | None:
        """Return the index of the option chosen, or None if the question was skipped."""
        letters = LETTERS[: len(question.options)]
        while not self._over:
            forget_typed()
            self._print("tour.predict", "yellow", end="", last=letters[-1])
            try:
                chosen = unicodedata.normalize("NFKC", self._read()).strip().casefold()
            except EOFError:
                self._over = True
                self._console.print()
                self._print("tour.predict-over", "dim")
                break
            except UnicodeDecodeError:
                chosen = "?"
            if not chosen:
                break
            if len(chosen) == 1 and chosen in letters:
                return letters.index(chosen)
            self._print("tour.predict-which", "yellow", last=letters[-1])
        return None

    def _print(self, key: str, style: str, end: str = "\n", **values: str) -> None:
        self._console.print(say(self._language, key, **values), style=style, end=end, soft_wrap=True)


def typed() -> str:
    """Return the line that a person types, as `input` does; EOFError if they end the input."""
    if sys.stdin.isatty():
        readable(sys.stdin)
    return input()


def forget_typed() -> None:
    """Drop what was typed before there was a question: it is no answer."""
    with suppress(OSError, ValueError, termios.error):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
