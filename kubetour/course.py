"""The course: the lessons, with a teacher's own in their places, and the steps that they leave out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from kubetour import lessons
from kubetour.errors import UsageError
from kubetour.lessons import Lesson
from kubetour.project import LESSONS, ROOT
from kubetour.steps import Step
from kubetour.text import LANGUAGES, Text

_FRONT_MATTER = re.compile(r"---\n(.*?\n)---\n", re.DOTALL)


@dataclass(frozen=True)
class Course:
    """The lessons by language and step id, the ids of steps left out, and the languages without a file."""

    lessons: Mapping[str, Mapping[str, Lesson]]
    drop: tuple[str, ...] = ()
    missing: Mapping[str, Text] = field(default_factory=dict)

    def titles(self) -> dict[str, dict[str, str]]:
        """Return each step's title, by language and id."""
        return {
            language: {name: lesson.title for name, lesson in each.items()}
            for language, each in self.lessons.items()
        }

    def steps(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """Return a plan without the steps left out; UsageError if one that stays needs one of them."""
        for step in steps:
            for need in step.needs:
                if need in self.drop and step.id not in self.drop:
                    raise UsageError("lessons-drop", step=step.id, need=need)
        return tuple(step for step in steps if step.id not in self.drop)


def course(directory: str = "") -> Course:
    """Return the course with what a teacher's directory, relative to the project, has; without one, ours.

    Raises UsageError, which names the file and the line, for whatever is wrong in it.
    """
    ours = {language: lessons.load(LESSONS / f"{language}.md") for language in LANGUAGES}
    if not directory:
        return Course(ours)
    files = {language: f"{directory}/{language}.md" for language in LANGUAGES}
    theirs = {language: file for language, file in files.items() if (ROOT / file).exists()}
    if not theirs:
        raise UsageError("lessons-none", directory=directory)
    merged, drop = dict(ours), []
    for language, file in theirs.items():
        text = lessons.read(ROOT / file)
        merged[language] = _merged(ours[language], lessons.parse(text, file), file)
        drop += _drop(text, file, ours[language])
    missing = {
        language: Text("lessons.language", {"file": file})
        for language, file in files.items()
        if language not in theirs
    }
    return Course(merged, tuple(dict.fromkeys(drop)), missing)


def _merged(ours: Mapping[str, Lesson], theirs: Mapping[str, Lesson], file: str) -> dict[str, Lesson]:
    """Return our lessons, replaced by theirs or with theirs added to them."""
    merged = dict(ours)
    for name, lesson in theirs.items():
        if name not in ours:
            raise UsageError("lessons-step", file=file, line=lesson.line, step=name, known=", ".join(ours))
        merged[name] = lesson if lesson.title else ours[name].extended(lesson)
    return merged


def _drop(text: str, file: str, known: Mapping[str, Lesson]) -> list[str]:
    """Return the ids of the steps that a file's front matter leaves out."""
    import yaml

    head = _FRONT_MATTER.match(text)
    try:
        values = yaml.safe_load(head[1]) if head else {}
        drop = values.get("drop") or [] if isinstance(values, dict) else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = Text("lessons.front-matter", {"reason": getattr(error, "problem", None) or error})
        raise UsageError(
            "lessons-form", file=file, line=mark.line + 2 if mark else 1, reason=reason
        ) from error
    line = next((n for n, each in enumerate(text.splitlines(), 1) if each.startswith("drop:")), 1)
    if not isinstance(drop, list) or not all(isinstance(each, str) for each in drop):
        raise UsageError("lessons-form", file=file, line=line, reason=Text("lessons.drop"))
    for name in drop:
        if name not in known:
            raise UsageError("lessons-step", file=file, line=line, step=name, known=", ".join(known))
    return drop
