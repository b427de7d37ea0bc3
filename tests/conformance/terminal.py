"""kubectl's commands typed on a whole cluster, and what they said."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import normal
from tests.conformance.compared import Compared

VERSION = "1.33"  # the recording's, and the newest that others than its makers have at hand
TRANSCRIPT: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "recorded" / f"kubectl-{VERSION}-transcripts.json").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str


def kubectl() -> Path:
    """Return the kubectl of the recording's version; without it, or without Node, the test is skipped."""
    found = shutil.which("kubectl")
    program = (Path(found).resolve().parent if found else Path()) / f"kubectl.{VERSION}"
    if not program.exists() or not shutil.which("node"):
        pytest.skip(f"kubectl {VERSION} and Node must be here")
    return program


class Terminal:
    """A shell whose `kubectl` is that one, and speaks to a cluster."""

    def __init__(self, directory: Path, kubeconfig: Path) -> None:
        tools = directory / "bin"
        tools.mkdir()
        (tools / "kubectl").symlink_to(kubectl())
        self._directory = directory
        self._environment = {
            **os.environ,
            "KUBECONFIG": str(kubeconfig),
            "PATH": f"{tools}:{os.environ['PATH']}",
        }

    def type(self, command: str, stdin: str = "") -> Said:
        """Return what a command said."""
        done = subprocess.run(
            ["sh", "-c", command],
            input=stdin,
            capture_output=True,
            text=True,
            env=self._environment,
            cwd=self._directory,
            timeout=120,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)


def compared(said: Sequence[Said]) -> list[Compared]:
    """Return each command's exit status and output beside the recorded."""
    found = []
    for recorded, here in zip(TRANSCRIPT, said, strict=True):
        command = recorded["cmd"]
        before = Said(recorded["rc"], recorded["out"], recorded["err"])
        found.append(Compared(command, _lines(command, before), _lines(command, here)))
    return found


def _lines(command: str, said: Said) -> tuple[str, ...]:
    return (f"exit status {said.status}", *_stream(command, said.out), *_stream(command, said.err))


def _stream(command: str, said: str) -> list[str]:
    if "--raw" in command:
        with contextlib.suppress(ValueError):
            return [normal.line(each) for each in normal.flat(json.loads(said))]
    lines = normal.text(said)
    return normal.in_any_order(lines) if " get " in command and "-o yaml" not in command else lines
