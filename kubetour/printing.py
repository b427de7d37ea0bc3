"""Tasks that only print: manifests, lessons, where the last report is."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubetour import play, records
from kubetour.comparison import compare
from kubetour.course import course as read_course
from kubetour.errors import UsageError
from kubetour.html import files
from kubetour.project import TEMPLATES
from kubetour.session import open_session
from kubetour.settled import settled
from kubetour.state import State
from kubetour.terminal import console as consoles
from kubetour.terminal.compared import print_comparison
from kubetour.terminal.prose import print_prose
from kubetour.terminal.questions import print_answer, print_question
from kubetour.text import say, tell

if TYPE_CHECKING:
    from invoke.context import Context


def print_manifests(c: Context, flags: Mapping[str, Any]) -> None:
    """Print the Deployment and the Service as YAML, for the replicas asked for."""
    with settled(c, flags) as (host, resolved, state):
        session = open_session(c, resolved, state, lambda text: None, host)
        templates = session.render(session.settings.replicas)
        print(f"{templates['deployment']}---\n{templates['service']}", end="")


def show_report(c: Context, flags: Mapping[str, Any], runs: list[str], two: bool) -> None:
    """Print where the report of a run is, by default the last, and open it where there is a display.

    With `two`, do so with two runs side by side, by default the last two, and print what differs.
    """
    caller = Path(os.environ.get("KUBETOUR_CWD") or Path.cwd())
    with settled(c, flags) as (_, resolved, state):
        if len(runs) > 1 + two or (two and len(runs) == 1):
            raise UsageError("report-runs", count=len(runs))
        if two:
            found = [records.find(word, state.root, caller) for word in runs or ("-2", "-1")]
            path = _side_by_side(state, found, resolved.settings.language)
        else:
            path = files.page_of(runs[0], state.root, caller) if runs else files.last(state.root)
            print(path)
        files.show(path)


def _side_by_side(state: State, paths: list[Path], language: str) -> Path:
    """Print two records side by side, and return their comparison as a page."""
    one, other = map(records.read, paths)
    out = consoles.make()
    for name, path in zip("AB", paths, strict=True):
        out.print(f"{name} {path}", soft_wrap=True)
    print_comparison(out, compare(one, other), language)
    page = files.write_comparison(state, one, other, language, read_course().titles(), TEMPLATES)
    out.print()
    out.print(say(language, "compare.page", path=page), soft_wrap=True)
    return page


def print_lessons(c: Context, flags: Mapping[str, Any], step: str) -> None:
    """Print one lesson, or all, as the provider's tour tells them."""
    with settled(c, flags) as (_, resolved, state):
        language = resolved.settings.language
        course = read_course(resolved.settings.lessons)
        if language in course.missing:
            print(tell(language, course.missing[language]), file=sys.stderr)
        lessons = course.lessons[language]
        if step and step not in lessons:
            raise UsageError("step-unknown", step=step, known=", ".join(lessons))
        # A lesson is the same whichever host it is about: none is asked.
        session = open_session(c, resolved, state, lambda text: None)
        values = play.lesson_values(session)
        out = consoles.make()
        for name in [step] if step else [name for name in lessons if name not in course.drop]:
            out.rule(f"{name} · {lessons[name].title}", style="cyan", align="left")
            print_prose(out, lessons[name].text(session.provider.name, values))
            out.print()
            if question := lessons[name].question(session.provider.name, values):
                print_question(out, language, question)
                out.print()
                print_answer(out, language, question, None)
                out.print()
