"""`inv tour`, all or a part of it, and `inv prove`, its experiments: with lessons; dry, as a script."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kubetour import play
from kubetour.claims import CLAIMS, experiments
from kubetour.ending import told
from kubetour.errors import UsageError
from kubetour.ownership import clean_up_after
from kubetour.plan import select
from kubetour.session import Session
from kubetour.steps import Step
from kubetour.terminal import console as consoles
from kubetour.terminal.prose import print_wrapped
from kubetour.text import choose, say, tell

if TYPE_CHECKING:
    from invoke.context import Context

SHOWN = ("pause", "predict", "quiet", "json")  # options of how a run is shown
EXCLUDE = (
    ("quiet", "json"),
    *((asks, tells) for asks in ("pause", "predict") for tells in ("quiet", "json")),
)


def tour(c: Context, flags: Mapping[str, Any], **options: Any) -> None:
    """Take the tour; with Invoke's `--dry`, print it as a script instead."""
    _require_sense(flags, options, ("keep", "down"))

    def pick(session: Session) -> tuple[Step, ...]:
        only = [name for name in options["only"].split(",") if name]
        steps = session.course.steps(_with_clean_up(c, session, session.plan(), options["down"]))
        return select(steps, first=options["from_"], last=options["until"], only=only)

    _take(c, flags, pick, options)


def prove(c: Context, flags: Mapping[str, Any], claims: list[str], **options: Any) -> None:
    """Try these claims, or all, doing first what each needs; without any, say which there are."""
    _require_sense(flags, {**options, "claims": claims}, ("claims", "all"))
    if not claims and not options["all"]:
        _print_claims(choose(flags.get("lang")))
        return

    def pick(session: Session) -> tuple[Step, ...]:
        steps = session.whole()
        wanted = {step.claim for step in steps if step.claim} if options["all"] else claims
        return _with_clean_up(c, session, experiments(steps, wanted), options["down"])

    _take(c, flags, pick, options, proving=True)


def _take(
    c: Context,
    flags: Mapping[str, Any],
    pick: play.Choose,
    options: Mapping[str, Any],
    *,
    proving: bool = False,
) -> None:
    """Play the steps; if one fails, it is by `prove` that one goes on, or by the tour."""
    after = None if options["json"] else play.summary
    shown = {name: options[name] for name in SHOWN}
    play.play(c, flags, pick, lessons=True, after=after, proving=proving, **shown)


def _with_clean_up(c: Context, session: Session, steps: tuple[Step, ...], down: bool) -> tuple[Step, ...]:
    if not down:
        return steps
    dry = c.config.run.dry  # then nobody is asked what is there
    return (*steps, *(session.clean_up() if dry else clean_up_after(session.prepare(c), session)))


def _require_sense(flags: Mapping[str, Any], options: Mapping[str, Any], *pairs: tuple[str, str]) -> None:
    """Raise UsageError for options that exclude each other, and for questions without a terminal."""
    with told(choose(flags.get("lang"))):
        for one, other in (*pairs, *EXCLUDE):
            if options[one] and options[other]:
                raise UsageError("flags-exclude", one=f"--{one}", other=f"--{other}")
        if options["pause"] and not sys.stdin.isatty():
            raise UsageError("pause-no-terminal")
        if options["predict"] and not sys.stdin.isatty():
            raise UsageError("predict-no-terminal")


def _print_claims(language: str) -> None:
    """Print each claim's id and what is claimed."""
    out = consoles.make()
    width = max(map(len, CLAIMS))
    for claim in CLAIMS.values():
        print_wrapped(out, f"{claim.id:{width}}  {tell(language, claim.statement)}", "")
    out.print(say(language, "prove.how"), soft_wrap=True)
