"""What a learner is asked before a step runs, and what they answered."""

from __future__ import annotations

import re
from dataclasses import dataclass

LETTERS = "abcd"  # by which options are named, and so the most that a question has

_MARKS = re.compile(r"\*{1,2}([^*]+)\*{1,2}|`([^`]+)`")
_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f"


@dataclass(frozen=True)
class Question:
    """A question, its options, the index of the right one, and what is told after the proof.

    The texts have inline Markdown, and each is one line.
    """

    text: str
    options: tuple[str, ...]
    right: int
    answer: str = ""

    def plain(self) -> Question:
        """Return it without inline Markdown, for what is not prose."""
        text, answer, *options = map(_plain, (self.text, self.answer, *self.options))
        return Question(text, tuple(options), self.right, answer)

    def like(self, other: Question) -> bool:
        """Return whether a choice among the other's options means the same here."""
        return (len(self.options), self.right) == (len(other.options), other.right)


@dataclass(frozen=True)
class Prediction:
    """An answer that was given: the question as it was asked, and the index of the option chosen."""

    question: Question
    chosen: int

    @property
    def correct(self) -> bool:
        """Return whether it was the right one."""
        return self.chosen == self.question.right


def flow(paragraph: str) -> str:
    """Return a paragraph's lines as one: with a blank between them, but for two that meet in Chinese."""
    return re.sub(rf"(?<=[{_WIDE}]) (?=[{_WIDE}])", "", " ".join(paragraph.split()))


def _plain(text: str) -> str:
    return _MARKS.sub(lambda found: found[1] or found[2], text)
