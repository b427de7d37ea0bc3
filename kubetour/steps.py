"""A step of the tour as a value: commands, what confirms them, what proves them. No I/O and no prose here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kubetour.checks import Check


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


@dataclass(frozen=True)
class Run:
    """One command. No environment and no directory: what you see is what runs."""

    argv: tuple[str | Lookup, ...]
    stdin: str | None = None


@dataclass(frozen=True)
class Step:
    """One step. Its id joins lesson, script, report and `--from/--until/--only`."""

    id: str
    stage: Stage
    actions: tuple[Run, ...]
    check: Check
    confirm: tuple[Run, ...] = ()  # what a person types to see that it worked; its exit status counts
    needs: tuple[str, ...] = ()  # steps that must have been proved first
    unless: Run | None = None  # if this succeeds, the actions are already done
    exists: Run | None = None  # if this succeeds though `unless` did not, only what the ledger has is touched
    early: bool = False  # may run in the background as soon as what it needs is there
    again: bool = False  # one run may fall short: repeat the actions until the check holds or time is up
    hold: float = 0.0  # seconds for which the check must go on holding
    creates: tuple[str, ...] = ()  # what to write into the ledger before acting: KIND/NAME
    removes: tuple[str, ...] = ()  # what to strike from it afterwards
