"""A step of the tour as a value: commands, what confirms them, what proves them. No I/O and no prose here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from kubetour.checks import Check
from kubetour.text import Text


class Stage(str, Enum):
    """The chapters, in the tour's order."""

    TOOLS = "tools"
    APP = "app"
    BUILD = "build"
    RUN = "run"
    CLUSTER = "cluster"
    LOAD = "load"
    POD = "pod"
    DEPLOY = "deploy"
    SERVICE = "service"
    SCALE = "scale"
    INSPECT = "inspect"
    DOWN = "down"


@dataclass(frozen=True)
class Lookup:
    """An argument that is only known when the command runs: what another command prints, in its place."""

    run: Run
    before: str = ""
    after: str = ""


class Found(str, Enum):
    """What a ladder of rungs finds out for commands from then on: the variable's name in the script."""

    PROGRAM = "curl"
    URL = "url"


@dataclass(frozen=True)
class Variable:
    """An argument that a step's ladder has found out: words of their own, the last with `after` behind it."""

    found: Found
    after: str = ""


@dataclass(frozen=True)
class Rung:
    """One way to reach a Service: what it is called, how to call curl, and with which URL.

    A Lookup that prints nothing says that there is no such way.
    """

    way: Text
    program: tuple[str, ...]
    url: str | Lookup


Word = str | Lookup | Variable


@dataclass(frozen=True)
class Run:
    """One command. No environment and no directory: what you see is what runs."""

    argv: tuple[Word, ...]
    stdin: str | None = None


def bind(run: Run, found: Mapping[Found, tuple[str, ...]]) -> Run:
    """Return the command with the variables' words in place; KeyError if no ladder has found them out yet."""
    words: list[Word] = []
    for part in run.argv:
        if isinstance(part, Variable):
            *first, last = found[part.found]
            words += (*first, last + part.after)
        else:
            words.append(part)
    return replace(run, argv=tuple(words))


@dataclass(frozen=True)
class Step:
    """One step. Its id joins lesson, script, report and `--from/--until/--only`."""

    id: str
    stage: Stage
    actions: tuple[Run, ...]
    check: Check
    confirm: tuple[Run, ...] = ()  # what a person types to see that it worked; its exit status counts
    at_once: bool = False  # what confirms it is asked side by side: no answer depends on another question
    needs: tuple[str, ...] = ()  # steps that must have been proved first
    unless: Run | None = None  # if this succeeds, the actions are already done
    settled: bool = False  # if all that confirms it succeeds beforehand, the actions are already done, too
    exists: Run | None = None  # if this succeeds though `unless` did not, only what the ledger has is touched
    early: bool = False  # may run in the background as soon as what it needs is there
    again: bool = False  # one run may fall short: repeat the actions until the check holds or time is up
    ladder: tuple[Rung, ...] = ()  # the actions run with each in turn until they succeed
    patience: float = 0.0  # seconds to wait for more than what holds for now
    hold: float = 0.0  # seconds for which the check must go on holding
    refusable: bool = False  # the cluster may forbid it: then the step says so, and the tour goes on
    rescue: tuple[Run, ...] = ()  # where it fails: keep what tells why, then take back what is half made
    restore: tuple[Run, ...] = ()  # where it fails or is interrupted: put back what its actions have changed
    claim: str = ""  # the experiment that it belongs to: see `claims`
    extra: bool = False  # no part of the tour, but of `inv prove`
    recorded: bool = False  # every change of what the check looks at is kept, from before the actions on
    creates: tuple[str, ...] = ()  # what to write into the ledger before acting: KIND/NAME
    brings: tuple[tuple[str, Run], ...] = ()  # the same, unless the command says that it is there already
    removes: tuple[str, ...] = ()  # what to strike from it afterwards
