"""`inv lint`: every linter, one after another, and all of their findings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kubetour.project import ROOT
from kubetour.runner import configure, perform
from kubetour.steps import Run

if TYPE_CHECKING:
    from invoke.context import Context

SHELL = (
    "inv",
    ".ci/run",
    ".ci/axe",
    ".ci/hadolint",
    "tests/standins/base-image",
    "tests/standins/kind",
    "tests/standins/minikube",
    "tests/standins/nerdctl",
)


def lint(c: Context) -> None:
    """Print what each linter finds; exit status 1 if any finds something."""
    configure(c)
    tools = Path(sys.executable).parent
    commands = (
        ("ruff", "check"),
        ("ruff", "format", "--check"),
        ("mypy",),
        ("lint-imports",),
        ("shellcheck", *(path for path in SHELL if (ROOT / path).exists())),
    )
    failed = []
    with c.cd(str(ROOT)):
        for command in commands:
            print(f"$ {' '.join(command)}", flush=True)
            ours = tools / command[0]  # shellcheck has no wheel for every machine: then the one on PATH
            program = str(ours) if ours.exists() else command[0]
            if perform(c, Run((program, *command[1:])), print).status != 0:
                failed.append(command[0])
    if failed:
        raise SystemExit(f"found something: {', '.join(failed)}")
