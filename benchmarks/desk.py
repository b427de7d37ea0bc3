"""Tours of the project itself, with names of their own, whose traces are taken back; their records."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.copying import copy_project

ROOT = Path(__file__).resolve().parent.parent
INV = str(ROOT / "inv")
NAME = "bench"
# The chapter: what a page has one type, without experiments, which are on no page.
STEPS = ("build", "create-cluster", "nodes", "load", "deploy", "expose", "hit", "scale", "hit-all", "pods")
ONLY = ("--only", ",".join(STEPS))


@dataclass(frozen=True)
class Desk:
    """A copy of the project, an environment, and the flags that give everything a name of its own."""

    folder: Path
    environ: Mapping[str, str]
    provider: str

    @property
    def names(self) -> tuple[str, ...]:
        """Return the flags that say which cluster, and choose ports that others hardly have."""
        return ("--provider", self.provider, "--cluster-name", NAME, "--student", f"{NAME}-{self.provider}")

    @property
    def flags(self) -> tuple[str, ...]:
        """Return the flags of a tour."""
        return (*self.names, "--name", NAME, "--image", f"kubetour-{NAME}")

    def inv(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a task; CalledProcessError, with what it said, if it fails."""
        return self.run((str(ROOT / ".venv/bin/python"), "-m", "kubetour", *argv))

    def run(self, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a command here."""
        done = subprocess.run(
            argv, cwd=self.folder, env=self.environ, capture_output=True, encoding="utf-8", check=False
        )
        if done.returncode:
            print(done.stdout, done.stderr)
            done.check_returncode()
        return done

    def warm(self) -> None:
        """Let be compiled and read most of what a tour takes, but make nothing."""
        self.inv("script", *self.flags)

    def tour(self, *options: str) -> tuple[float, dict[str, Any]]:
        """Take a tour; return its wall time in seconds, start and report included, and its record."""
        began = time.monotonic()
        self.inv("tour", *self.flags, "--quiet", *options)
        return time.monotonic() - began, self.record()

    def chapter(self) -> tuple[float, dict[str, Any]]:
        """Take the chapter alone."""
        return self.tour(*ONLY)

    def record(self) -> dict[str, Any]:
        """Return the youngest run's record."""
        newest = max(self.folder.glob(".kubetour/runs/*/report.json"), key=lambda path: path.stat().st_mtime)
        record: dict[str, Any] = json.loads(newest.read_text(encoding="utf-8"))
        return record

    def down(self) -> None:
        """Remove all that was made."""
        self.inv("down", *self.names, "--name", NAME, "--check")


@contextmanager
def desk(root: Path, provider: str, **environ: str) -> Iterator[Desk]:
    """Yield a desk in this directory; afterwards nothing of it is left."""
    folder = root / "project"
    folder.mkdir()
    copy_project(folder)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("KUBETOUR_", "KIND_", "KUBECONFIG"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # as in a checkout: what was imported once stays compiled
    path = f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
    made = Desk(
        folder,
        {**kept, "PATH": path, "PYTHONPYCACHEPREFIX": str(root / "bytecode"), **environ},
        provider,
    )
    try:
        yield made
    finally:
        made.down()
