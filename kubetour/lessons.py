"""The prose: one section per step id, in each language, joined to the plan by that id.

docs/lessons.md is the form. Whatever is not of it is a UsageError that names file, line and what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from string import Template
from typing import TypeVar

from kubetour.errors import UsageError
from kubetour.harmless import harmless_lines
from kubetour.questions import LETTERS, Question, flow
from kubetour.settings import PROVIDERS
from kubetour.text import Text

# What a placeholder in the prose may be: $name, $image and so on.
PLACEHOLDERS = ("image", "name", "replicas", "port", "provider", "cluster", "nodes", "requests")
KINDS = PROVIDERS[1:]  # without `auto`

_HEADING = re.compile(r"^## ([a-z0-9-]+) (?:\| *(\S.*?)|\+) *$")
_ONLY = re.compile(r"^\[(.*)\] *$")
_OPTION = re.compile(r"^- \[([ x])\] +(.*)$")
_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Lesson:
    """A section: its step's id, its title, and its parts, each for every provider ("") or for one.

    One that only adds to another lesson (`## id +`) has no title. `line` is where it stands in its file.
    """

    id: str
    title: str
    paragraphs: tuple[tuple[str, str], ...] = ()
    questions: tuple[tuple[str, Question], ...] = ()
    answers: tuple[tuple[str, str], ...] = ()
    line: int = 0

    def text(self, provider: str, values: Mapping[str, object]) -> str:
        """Return the paragraphs that hold for a provider, with the values in place."""
        return Template("\n\n".join(_for(provider, self.paragraphs))).substitute(values)

    def question(self, provider: str, values: Mapping[str, object]) -> Question | None:
        """Return the question for a provider, with answer and values in place; None if there is none."""
        for asked in _for(provider, self.questions):
            answer = flow("\n".join(_for(provider, self.answers)))
            parts = (asked.text, answer, *asked.options)
            text, answer, *options = (Template(part).substitute(values) for part in parts)
            return Question(text, tuple(options), asked.right, answer)
        return None

    def extended(self, more: Lesson) -> Lesson:
        """Return this lesson with another's paragraphs after its own, and that one's question if it asks."""
        asks = more if more.questions else self
        paragraphs = self.paragraphs + more.paragraphs
        return replace(self, paragraphs=paragraphs, questions=asks.questions, answers=asks.answers)


def load(path: Path) -> dict[str, Lesson]:
    """Return the lessons of a file by step id, in its order; UsageError if they are not of the form."""
    return parse(read(path), str(path))


def read(path: Path) -> str:
    """Return the text of a file; UsageError if it is none."""
    try:
        # Windows' editor begins a file with that mark.
        return harmless_lines(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("lessons-unreadable", file=str(path), reason=str(error)) from error


def parse(text: str, file: str = "") -> dict[str, Lesson]:
    """Return the lessons of a text: front matter, then sections under `## ID | TITLE` or `## ID +`."""
    lessons: dict[str, Lesson] = {}
    lesson: Lesson | None = None
    for line, block in _blocks(text):
        with _at(file, line):
            if block[0].startswith("## "):
                lesson = _section(block[0], line, lessons)
            elif lesson:
                lesson = _with(lesson, block)
        if lesson:
            lessons[lesson.id] = lesson
    for lesson in lessons.values():
        with _at(file, lesson.line):
            _check(lesson)
    return lessons


class _FormError(ValueError):
    """What is wrong in a block of a text."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.key)
        self.text = text


@contextmanager
def _at(file: str, line: int) -> Iterator[None]:
    """Tell where in a file a fault is."""
    try:
        yield
    except _FormError as fault:
        raise UsageError("lessons-form", file=file, line=line, reason=fault.text) from fault


def _for(provider: str, parts: tuple[tuple[str, _Part], ...]) -> list[_Part]:
    return [part for only, part in parts if only in ("", provider)]


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the headings and paragraphs of a text, each with the number of its first line."""
    block: list[str] = []
    for number, line in enumerate([*text.splitlines(), ""], 1):
        heads = line.startswith("## ")
        if block and (heads or not line.strip()):
            yield number - len(block), block
            block = []
        if heads:
            yield number, [line]
        elif line.strip():
            block.append(line)


def _section(heading: str, line: int, known: Mapping[str, Lesson]) -> Lesson:
    found = _HEADING.match(heading)
    if not found:
        raise _FormError(Text("lessons.heading"))
    if found[1] in known:
        raise _FormError(Text("lessons.twice", {"step": found[1]}))
    return Lesson(found[1], found[2] or "", line=line)


def _with(lesson: Lesson, block: list[str]) -> Lesson:
    """Return a lesson with one more paragraph, question or answer."""
    only = _ONLY.match(block[0])
    kind = only[1] if only else ""
    lines = block[1:] if only else block
    if kind not in ("", *KINDS) or not lines:
        raise _FormError(Text("lessons.marker", {"kind": kind, "known": ", ".join(KINDS)}))
    text = "\n".join(lines)
    for found in Template.pattern.finditer(text):
        name = found["named"] or found["braced"] or ""
        if name not in PLACEHOLDERS and not found["escaped"]:
            known = ", ".join(f"${known}" for known in PLACEHOLDERS)
            raise _FormError(Text("lessons.placeholder", {"name": f"${name}", "known": known}))
    if text.startswith("? "):
        return replace(lesson, questions=(*lesson.questions, (kind, _question(lines))))
    if text.startswith("! "):
        return replace(lesson, answers=(*lesson.answers, (kind, text[2:])))
    if lesson.answers:  # told as prose, it would tell the answer
        raise _FormError(Text("lessons.after"))
    return replace(lesson, paragraphs=(*lesson.paragraphs, (kind, text)))


def _question(lines: list[str]) -> Question:
    """Return the question in a paragraph; it may be several lines long, and so may each option."""
    parts, rights = [lines[0][2:]], []
    for line in lines[1:]:
        if option := _OPTION.match(line):
            rights.append(option[1] == "x")
            parts.append(option[2])
        elif line.startswith("- "):
            raise _FormError(Text("lessons.option"))
        else:
            parts[-1] += "\n" + line
    if not 2 <= len(rights) <= len(LETTERS):
        raise _FormError(Text("lessons.options", {"count": len(rights), "most": len(LETTERS)}))
    if sum(rights) != 1:
        raise _FormError(Text("lessons.rights", {"count": sum(rights)}))
    return Question(flow(parts[0]), tuple(map(flow, parts[1:])), rights.index(True))


def _check(lesson: Lesson) -> None:
    """Raise a _FormError unless, for each provider, there is one question with its answer, or neither."""
    for kind in KINDS:
        questions, answers = len(_for(kind, lesson.questions)), len(_for(kind, lesson.answers))
        if questions > 1:
            raise _FormError(Text("lessons.questions", {"step": lesson.id, "kind": kind}))
        if questions and not answers:
            raise _FormError(Text("lessons.unanswered", {"step": lesson.id, "kind": kind}))
        if answers and not questions:
            raise _FormError(Text("lessons.unasked", {"step": lesson.id, "kind": kind}))
