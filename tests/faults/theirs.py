"""A cluster that is not ours, a checkout beside it, and how a failure has to be told."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.checkout import PATIENCE, Checkout, Finished, make

CLUSTER = "theirs"
CONTEXT = f"embedded-{CLUSTER}"
IMAGE = "web:1"
REGISTRY = "localhost:5"  # nothing is pushed there: the nodes have the image
FLAGS = ("--context", CONTEXT, "--image", IMAGE, "--registry", REGISTRY)


@dataclass(frozen=True)
class Theirs:
    """A checkout, and the kubeconfig of an embedded cluster that someone else made beside it."""

    checkout: Checkout
    kubeconfig: Path

    def inv(
        self, *argv: str, lang: str = "en", check: int | None = 0, through: Path | None = None
    ) -> Finished:
        """Run a task on that cluster, with another kubeconfig where one leads through something."""
        return self.checkout.inv(*argv, lang=lang, check=check, KUBECONFIG=str(through or self.kubeconfig))

    def tour(
        self,
        only: str,
        *argv: str,
        replicas: int = 1,
        lang: str = "en",
        check: int | None = 0,
        through: Path | None = None,
    ) -> Finished:
        """Take some steps of the tour there."""
        flags = ("--only", only, "--replicas", str(replicas))
        return self.inv("tour", *FLAGS, *flags, *argv, lang=lang, check=check, through=through)

    def down(self) -> None:
        """Remove all of ours, and see that nothing of it is left."""
        told = self.inv("down", "--check", "--context", CONTEXT)
        assert "Nothing of this project is left" in told.stdout

    def kubectl(self, *argv: str, stdin: str | None = None, check: bool = True) -> str:
        """Run kubectl there, as whoever owns the cluster."""
        done = subprocess.run(
            ["kubectl", "--kubeconfig", str(self.kubeconfig), *argv],
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def embedded(self, *argv: str) -> str:
        """Run a command of the embedded cluster."""
        done = subprocess.run(
            [sys.executable, "-m", "kubetour.embedded", *argv],
            cwd=self.checkout.root,
            env=self.checkout.environ("en"),
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def cluster(directory: Path) -> Iterator[Theirs]:
    """Make a checkout and such a cluster, whose nodes have the image; delete it afterwards."""
    (directory / "checkout").mkdir()
    theirs = Theirs(make(directory / "checkout"), directory / "theirs.kubeconfig")
    where = ("--name", CLUSTER, "--kubeconfig", str(theirs.kubeconfig))
    theirs.embedded("create", "cluster", *where, "--wait", "60s")
    try:
        theirs.embedded("build", "-t", f"{REGISTRY}/{IMAGE}", ".")
        theirs.embedded("load", "image", f"{REGISTRY}/{IMAGE}", "--name", CLUSTER)
        yield theirs
    finally:
        theirs.embedded("delete", "cluster", *where)
    assert theirs.checkout.processes() == []


def told(finished: Finished, code: str, *words: str) -> Finished:
    """See that a task failed with a code, some words, and a fix, and nothing that is not for people."""
    errors = [line for line in finished.stderr.splitlines() if line.startswith("✗ ")]
    assert len(errors) == 1, finished.told()
    assert errors[0].startswith(f"✗ {code}"), finished.told()
    assert re.search(r"^→ \S", finished.stderr, re.MULTILINE), finished.told()
    assert "Traceback" not in finished.stdout + finished.stderr, finished.told()
    for word in words:
        assert word in finished.stderr, finished.told()
    return finished
