"""Who runs a tour's commands, and knows which of them still run and which steps may begin early."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from kubetour.checks import Result
from kubetour.errors import Interrupted, KubetourError
from kubetour.interrupts import held_signals, last_signal
from kubetour.runner import Line, Running, end_all, side_by_side
from kubetour.script import program
from kubetour.silence import QUIET, Silence, of_engine
from kubetour.state import State
from kubetour.steps import Found, Lookup, Run

if TYPE_CHECKING:
    from invoke.context import Context

GRACE = 5.0  # seconds for kubectl to end by itself, where it was given a --timeout


class Performer:
    """Runs commands and knows which of them are still running, so that none outlives the tour.

    kubectl by itself waits for ever for an API server that is silent: it is ended when `timeout`, the seconds
    that a step has, and some more have passed. So does an engine's client: `silence` ends it.
    """

    def __init__(self, c: Context, state: State, timeout: float) -> None:
        self.c = c
        self.state = state
        self._timeout = timeout
        self.found: dict[Found, tuple[str, ...]] = {}  # by a step's ladder, for the steps after it
        self._running: set[Running] = set()
        self._lock = threading.Lock()
        self._ended = False
        self._hung: KubetourError | None = None  # why the engine is asked no more
        self._ready: set[str] = set()  # the steps that others may build on
        self._made: set[str] = set()
        self._closed = False
        self._changed = threading.Condition()

    def perform(self, run: Run, line: Line = lambda _: None) -> Result:
        """Run a command to its end and return its result; Interrupted if a signal, or `end`, ended it.

        EngineError where the engine has stopped to answer.
        """
        (result,) = self._perform((run,), line)
        return result

    def perform_all(self, runs: Iterable[Run]) -> tuple[Result, ...]:
        """Run commands side by side and return their results in their order; Interrupted likewise."""
        return self._perform(runs, lambda _: None)

    def _perform(self, runs: Iterable[Run], line: Line) -> tuple[Result, ...]:
        begun: list[Running] = []

        def begin(run: Run) -> Running:
            with self._lock:
                if self._ended:
                    raise Interrupted(last_signal())
                if self._hung and of_engine(run):
                    raise self._hung
                running = Running(self.c, run, line, self._timeout + GRACE if _asks(run) else None)
                self._running.add(running)
                begun.append(running)
            return running

        try:
            return side_by_side(begin, runs, self._wait)
        finally:
            with self._lock:
                self._running.difference_update(begun)

    def _wait(self, running: Running) -> Result:
        if not of_engine(running.run):
            return running.wait()
        quiet = min(QUIET, self._timeout)
        with held_signals(), Silence(self.c, running, quiet) as silence:  # who listens is told of the end
            result = running.wait()
        if error := silence.error():
            self._hung = error  # for good, although another command of the engine's may still end well
            raise error
        return result

    def release(self, step: str) -> None:
        """Let begin what runs early and needs this step."""
        with self._changed:
            self._ready.add(step)
            self._changed.notify_all()

    def note_made(self, step: str) -> None:
        """Keep that a step has acted: what it is for was not there, or not as it should be."""
        with self._lock:
            self._made.add(step)

    def has_made(self, steps: Iterable[str]) -> bool:
        """Return whether one of these steps has acted in this run."""
        with self._lock:
            return not self._made.isdisjoint(steps)

    def await_turn(self, needs: frozenset[str], begun: Callable[[], None]) -> bool:
        """Call `begun` and return True when all these are released; False if nothing may begin any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or needs <= self._ready)
            if not self._closed:
                begun()
            return not self._closed

    def close(self) -> None:
        """Let no step begin early any more; what has begun goes on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def end(self) -> None:
        """End every command that still runs, and let none begin."""
        self.close()
        with self._lock:
            self._ended = True
            running = tuple(self._running)
        end_all(running)


def _asks(run: Run) -> bool:
    """Return whether a command asks the API server, itself or by another command in one of its words."""
    return program(run) == "kubectl" or any(isinstance(part, Lookup) and _asks(part.run) for part in run.argv)
