"""Tasks that only print: manifests, the script, lessons, where the last report is."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kubetour import play
from kubetour.course import course as read_course
from kubetour.errors import UsageError
from kubetour.html import files
from kubetour.project import ROOT, STATE
from kubetour.script import script
from kubetour.session import Session, open_session
from kubetour.terminal import console as consoles
from kubetour.terminal.prose import print_prose
from kubetour.terminal.questions import print_answer, print_question
from kubetour.text import say, tell

if TYPE_CHECKING:
    from invoke.context import Context


def print_manifests(c: Context, flags: Mapping[str, Any]) -> None:
    """Print the Deployment and the Service as YAML, for the replicas asked for."""
    with play.settled(c, flags) as (host, resolved, state):
        session = open_session(c, resolved, state, lambda text: None, host)
        templates = session.render(session.settings.replicas)
        print(f"{templates['deployment']}---\n{templates['service']}", end="")


def print_script(c: Context, flags: Mapping[str, Any], down: bool) -> None:
    """Print the tour as a commented script; what was decided on the way goes to standard error."""
    with play.settled(c, flags) as (host, resolved, state):
        language = resolved.settings.language
        session = open_session(
            c, resolved, state, lambda text: print(tell(language, text), file=sys.stderr), host
        )
        print(script_text(session, language, down), end="")


def script_text(session: Session, language: str, down: bool) -> str:
    """Return a session's tour as a script."""
    steps = session.course.steps(session.plan() + (session.clean_up() if down else ()))
    titles = session.course.titles()[language]
    heading = say(language, "script.heading", provider=session.provider.name).splitlines()
    if session.host.name:
        heading.append(say(language, "host.script", host=session.host.name))
    where = (f"cd {shlex.quote(session.host.root)}", f"mkdir -p {STATE}", "")
    return script(steps, titles, heading, where)


def show_report(c: Context, flags: Mapping[str, Any]) -> None:
    """Print where the report of the last run is, and open it in a browser where there is a display."""
    with play.settled(c, flags):
        path = files.last(ROOT / STATE)
        print(path)
        files.show(path)


def print_lessons(c: Context, flags: Mapping[str, Any], step: str) -> None:
    """Print one lesson, or all, as the provider's tour tells them."""
    with play.settled(c, flags) as (_, resolved, state):
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
