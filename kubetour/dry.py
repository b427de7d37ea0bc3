"""The steps of any task as a commented script: `inv script`, and what Invoke's `--dry` does instead."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kubetour.project import STATE
from kubetour.script import script
from kubetour.session import Session, open_session
from kubetour.settled import settled
from kubetour.steps import Step
from kubetour.text import say, tell

if TYPE_CHECKING:
    from invoke.context import Context


def print_script(c: Context, flags: Mapping[str, Any], choose: Callable[[Session], tuple[Step, ...]]) -> None:
    """Print the steps that are chosen; what was decided on the way goes to standard error."""
    with settled(c, flags) as (host, resolved, state):
        language = resolved.settings.language
        session = open_session(
            c, resolved, state, lambda text: print(tell(language, text), file=sys.stderr), host
        )
        print(script_text(session, choose(session), language), end="")


def tour_steps(session: Session, down: bool) -> tuple[Step, ...]:
    """Return the steps of the tour, with `down` also those that remove all of it; nothing is looked for."""
    return session.course.steps(session.plan() + (session.clean_up() if down else ()))


def script_text(session: Session, steps: tuple[Step, ...], language: str) -> str:
    """Return a session's steps as a script."""
    titles = session.course.titles()[language]
    heading = say(language, "script.heading", provider=session.provider.name).splitlines()
    if session.host.name:
        heading.append(say(language, "host.script", host=session.host.name))
    where = (f"cd {shlex.quote(session.host.root)}", f"mkdir -p {STATE}", "")
    return script(steps, titles, heading, where)
