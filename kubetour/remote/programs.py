"""kubectl and kind on the host: on its PATH, else ours for its system, to be brought there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kubetour import tools
from kubetour.ask import Reply
from kubetour.checks import Result
from kubetour.errors import ToolError
from kubetour.pins import pin
from kubetour.project import STATE
from kubetour.runner import perform
from kubetour.steps import Run
from kubetour.tools import Say, Tool

if TYPE_CHECKING:
    from invoke.context import Context

BIN = f"{STATE}/bin"  # relative to the project's directory there
PATIENCE = 10.0  # seconds for a program to tell its version


@dataclass(frozen=True)
class Found:
    """A program: how it is called there, its version, and the file of ours to bring there for that."""

    call: str
    version: str
    file: Path | None = None


def find(c: Context, name: str, system: str, offline: bool, say: Say, host: str) -> Found:
    """Return kubectl, kind or minikube; ToolError or IntegrityError if there is none to be had."""
    wanted = pin(name)
    passed_over = []
    for path in (name, f"{BIN}/{name}"):
        asked = perform(c, Run((path, *tools.version_arguments(name))), timeout=PATIENCE)
        verdict = tools.judge(wanted, path, reply(asked))
        if isinstance(verdict, Tool):
            return Found(path, verdict.version)
        if asked.status != 127:  # of one that is not there, nothing needs to be said
            passed_over.append(verdict)
    ours = tools.obtain(wanted, replace(tools.here(offline), system=system), say)
    if isinstance(ours, Path):
        return Found(f"{BIN}/{name}", wanted.version, ours)
    evidence = "\n".join((*passed_over, ours))
    least = ".".join(map(str, wanted.least))
    raise ToolError("host-tool", evidence=evidence, tool=name, host=host, least=least, system=system)


def reply(asked: Result) -> Reply:
    """Return what a program said, as the judge of versions reads it."""
    trouble = "" if asked.status == 0 else f"exit status {asked.status}: {asked.stderr.strip()[-200:]}"
    return Reply(asked.stdout, trouble)
