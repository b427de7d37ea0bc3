"""A command of the engine's that says nothing for long: does the engine still answer at all?

One that hangs does so for ever, and its client waits with it. What is only slow, a large image over a small
line, may take all its time: then the engine answers other questions.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from kubetour.checks import TIMED_OUT
from kubetour.dialects import DIALECTS, remedies
from kubetour.errors import EngineError
from kubetour.runner import Running
from kubetour.script import program, shell
from kubetour.steps import Run

if TYPE_CHECKING:
    from invoke.context import Context

QUIET = 30.0  # seconds without a word after which the engine is asked
PATIENCE, TIMES = 5.0, 3  # how long it has for an answer, and how often none must have come


def of_engine(run: Run) -> bool:
    """Return whether a command is a container engine's client."""
    return program(run) in DIALECTS


class Silence:
    """Listens to a running command of the engine's, and kills it once the engine does not answer any more."""

    def __init__(self, c: Context, running: Running, quiet: float) -> None:
        self._c, self._running, self._quiet = c, running, quiet
        self._asking: Running | None = None
        self._hung = False
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, daemon=True, name="silence")

    def __enter__(self) -> Silence:
        """Begin to listen."""
        self._thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        """Listen no more: the command has ended."""
        with self._lock:
            self._over.set()
            asking = self._asking
        if asking is not None:
            asking.end()
        self._thread.join()

    def error(self) -> EngineError | None:
        """Return why the command was killed, if it was."""
        if not self._hung:
            return None
        name = program(self._running.run)
        said = f"$ {shell(self._running.run).splitlines()[0]}"
        return EngineError("engine-hangs", evidence=said, program=name, command=name, **remedies(name, said))

    def _work(self) -> None:
        while not self._over.wait(max(self._running.heard + self._quiet - time.monotonic(), 0.0)):
            if time.monotonic() - self._running.heard < self._quiet:
                continue
            if not any(self._answers() for _ in range(TIMES)):
                self._hung = not self._over.is_set()
                if self._hung:
                    self._running.kill()
                return
            self._over.wait(self._quiet)

    def _answers(self) -> bool:
        """Ask the engine; that nobody listens any more, or that it complains, is an answer, too."""
        name = program(self._running.run)
        question = Run((name, *DIALECTS[name].question))
        try:
            with self._lock:
                if self._over.is_set():
                    return True
                asking = self._asking = Running(self._c, question, lambda _: None, PATIENCE)
            return asking.wait().status != TIMED_OUT
        except Exception:  # it was ended, as the command has
            return True
        finally:
            self._asking = None
