"""`python -m kubetour.embedded` as a person types it, with a state directory of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from kubetour.embedded import cli

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Done:
    """What a command did: its exit status, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Commands:
    """The commands over one state directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {**os.environ, "KUBETOUR_EMBEDDED_ROOT": str(root), "PYTHONPATH": str(PROJECT)}

    def __call__(self, *argv: str | Path, ok: bool = True, stdin: str = "") -> Done:
        """Run a command; it must succeed unless `ok` is False.

        In this process, which is ten times as fast, but for those that take over signals or the process.
        """
        words = [str(word) for word in argv]
        apart = words[:1] in (["create"], ["exec"])
        found = self._apart(words, stdin) if apart else self._here(words)
        assert not ok or found.status == 0, f"{argv}: {found}"
        return found

    def _apart(self, argv: list[str], stdin: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "kubetour.embedded", *argv],
            capture_output=True,
            text=True,
            input=stdin,
            cwd=self.root.parent,
            env=self.environment,
            timeout=60,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def _here(self, argv: list[str]) -> Done:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        before = os.getcwd()
        with (
            mock.patch.dict(os.environ, {"KUBETOUR_EMBEDDED_ROOT": str(self.root)}),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            os.chdir(self.root.parent)
            try:
                status = cli.main(argv)
            except SystemExit as ended:
                status = int(ended.code or 0)
            finally:
                os.chdir(before)
        texts = []
        for stream in (out, err):
            stream.flush()
            texts.append(stream.buffer.getvalue().decode())
        return Done(status, *texts)

    def start(self, *argv: str | Path) -> subprocess.Popen[bytes]:
        """Start a command and let it run."""
        return subprocess.Popen(
            [sys.executable, "-m", "kubetour.embedded", *map(str, argv)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self.environment,
            cwd=self.root.parent,
        )

    def processes(self) -> list[str]:
        """Return the processes that have to do with this state directory, but for this one."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                environment = (process / "environ").read_bytes()
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if str(self.root).encode() in environment and command:
                found.append(f"{process.name}: {command}")
        return found

    def files(self) -> list[str]:
        """Return what is in the state directory beside images and locks."""
        found = (path for path in self.root.rglob("*") if path.is_file() and ".lock" not in path.name)
        return [str(path.relative_to(self.root)) for path in found if "images" not in path.parts]


def until(true: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Return the first true value; fail if there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        found = true()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


def get(url: str) -> str:
    """Return what a server answers, over a new connection and no proxy; "" if nobody does."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def lines(text: str) -> Iterator[str]:
    """Yield a text's lines that are not empty."""
    return filter(None, text.splitlines())
