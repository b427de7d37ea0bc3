"""`inv tour`: the whole plan, or a part of it, with its lessons; dry, it is the script."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kubetour import play
from kubetour.errors import UsageError
from kubetour.ownership import clean_up_after
from kubetour.plan import select
from kubetour.printing import print_script
from kubetour.session import Session
from kubetour.steps import Step
from kubetour.text import choose

if TYPE_CHECKING:
    from invoke.context import Context

EXCLUDE = (
    ("keep", "down"),
    ("quiet", "json"),
    *((asks, tells) for asks in ("pause", "predict") for tells in ("quiet", "json")),
)


def tour(c: Context, flags: Mapping[str, Any], **options: Any) -> None:
    """Take the tour; with Invoke's `--dry`, print it as a script instead."""
    with play.told(choose(flags.get("lang"))):
        for one, other in EXCLUDE:
            if options[one] and options[other]:
                raise UsageError("flags-exclude", one=f"--{one}", other=f"--{other}")
        if options["pause"] and not sys.stdin.isatty():
            raise UsageError("pause-no-terminal")
        if options["predict"] and not sys.stdin.isatty():
            raise UsageError("predict-no-terminal")
    if c.config.run.dry:
        print_script(c, flags, options["down"])
        return

    def pick(session: Session) -> tuple[Step, ...]:
        steps = session.plan()
        if options["down"]:
            steps = (*steps, *clean_up_after(session.prepare(c), session))
        steps = session.course.steps(steps)
        only = [name for name in options["only"].split(",") if name]
        return select(steps, first=options["from_"], last=options["until"], only=only)

    shown = {name: options[name] for name in ("pause", "predict", "quiet", "json")}
    after = None if options["json"] else play.summary
    play.play(c, flags, pick, lessons=True, after=after, **shown)
