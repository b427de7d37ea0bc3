"""The prose: one section per step id, in each language, joined to the plan by that id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from kubetour.errors import UsageError

_HEADING = re.compile(r"^## ([a-z0-9-]+) \| (.+)$", re.MULTILINE)
_ONLY = re.compile(r"^\[(\w+)\]\n")


@dataclass(frozen=True)
class Lesson:
    """A section: its step's id, its title, and paragraphs, each for every provider ("") or for one."""

    id: str
    title: str
    paragraphs: tuple[tuple[str, str], ...]

    def text(self, provider: str, values: Mapping[str, object]) -> str:
        """Return the paragraphs that hold for a provider, with the values in place."""
        chosen = (text for only, text in self.paragraphs if only in ("", provider))
        return Template("\n\n".join(chosen)).substitute(values)


def load(path: Path) -> dict[str, Lesson]:
    """Return the lessons of a file by step id, in its order; UsageError if the file is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("lessons-unreadable", file=str(path), reason=str(error)) from error
    return parse(text)


def parse(text: str) -> dict[str, Lesson]:
    """Return the lessons of a text: front matter, then `## ID | TITLE` sections."""
    parts = _HEADING.split(text)
    lessons = {}
    for name, title, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        paragraphs = []
        for paragraph in re.split(r"\n\s*\n", body.strip()):
            only = _ONLY.match(paragraph)
            paragraphs.append((only[1] if only else "", paragraph[only.end() :] if only else paragraph))
        lessons[name] = Lesson(name, title.strip(), tuple(paragraphs))
    return lessons
