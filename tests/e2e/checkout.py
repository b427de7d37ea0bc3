"""A checkout of one's own: a copy of the project in which a test can do what a user does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.copying import copy_project

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 240.0  # seconds for one command, on a machine with other work


@dataclass(frozen=True)
class Checkout:
    """A directory with the project's files and no state."""

    root: Path

    def inv(self, *argv: str, lang: str = "en", check: int | None = 0, **environ: str) -> Finished:
        """Run a task to its end; by default it must succeed."""
        done = subprocess.run(
            self.command(*argv),
            cwd=self.root,
            env=self.environ(lang, **environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )
        finished = Finished(done.returncode, done.stdout, done.stderr)
        assert check is None or finished.status == check, finished.told()
        return finished

    def run_script(self, script: str) -> Finished:
        """Run a script that was printed here, from somewhere else, to its end; it must succeed."""
        done = subprocess.run(
            ["sh", "-eu", "-c", script],
            cwd="/",
            env=self.environ("en"),
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return Finished(done.returncode, done.stdout, done.stderr)

    def clean(self, *flags: str, **environ: Any) -> None:
        """Remove what was made, and prove that nothing of it is left and nothing runs here."""
        told = self.inv("down", "--check", *flags, **environ)
        assert "Nothing of this project is left" in told.stdout
        assert self.processes() == []

    def start(self, *argv: str, lang: str = "en", **environ: str) -> subprocess.Popen[str]:
        """Start a task in a process group of its own, as a terminal would."""
        return subprocess.Popen(
            self.command(*argv),
            cwd=self.root,
            env=self.environ(lang, **environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
        )

    def command(self, *argv: str) -> list[str]:
        """Return how Invoke is called here."""
        return [sys.executable, "-m", "invoke", *argv]

    def environ(self, lang: str, **environ: str) -> dict[str, str]:
        """Return an environment in which only this copy of the project is found."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("KUBETOUR_")}
        locale = {"en": "C.UTF-8", "zh": "zh_CN.UTF-8"}[lang]
        return {**kept, "PYTHONPATH": str(self.root), "LC_ALL": locale, **environ}

    def report(self) -> dict[str, Any]:
        """Return the record of the last run."""
        newest = max((self.root / ".kubetour/runs").iterdir(), key=lambda run: run.stat().st_mtime_ns)
        report: dict[str, Any] = json.loads((newest / "report.json").read_text(encoding="utf-8"))
        return report

    def processes(self) -> list[str]:
        """Return the command lines of all processes that work in this directory."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cwd").readlink().is_relative_to(self.root):
                    words = (process / "cmdline").read_bytes().replace(b"\0", b" ")
                    found.append(words.decode(errors="replace"))
            except OSError:
                continue
        return [words for words in found if words]


@dataclass(frozen=True)
class Finished:
    """A task that has ended."""

    status: int
    stdout: str
    stderr: str

    def told(self) -> str:
        """Return all that was printed."""
        return f"exit status {self.status}\n{self.stdout}\n{self.stderr}"


def make(directory: Path) -> Checkout:
    """Return a new checkout in a directory."""
    copy_project(directory)
    return Checkout(directory)
