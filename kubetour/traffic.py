"""Requests to the Service, so many a second: which Pods answered, and how many failed.

They take the first way that gets through, as the tour's own.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from kubetour.acting import Acting
from kubetour.chapters.requests import reach
from kubetour.checks import Observation, Result
from kubetour.errors import Told
from kubetour.performer import Performer
from kubetour.proofs.traffic import AnsweredBy, answers
from kubetour.providers import Provider
from kubetour.runner import LOOK
from kubetour.state import State
from kubetour.steps import Stage, Step, bind

if TYPE_CHECKING:
    from invoke.context import Context

SECOND = 1.0
STEP = "watch"  # what the requests to an app that is not our own carry
MOST_LINES = 1000  # different lines of answers that are kept: an answer that never repeats names no Pod
LONGEST = 200  # characters of a line
REFUSED = re.compile(r"(?m)^curl: \(\d+\)")  # what curl says of each request that failed


class Requests:
    """Sends requests in a thread of its own: each second, one command that makes so many."""

    def __init__(self, c: Context, state: State, provider: Provider, rate: int) -> None:
        self.rate = rate
        self.answered = self.failed = 0
        self.is_on = False  # whether a way to the Service has been found
        self._performer = Performer(c, state, LOOK)
        # The step `hit` for this purpose: its ladder finds the way.
        ladder = provider.rungs()
        self._run = reach(provider, STEP, rate)
        self._climb = Step(
            "hit", Stage.SERVICE, (reach(provider, STEP),), AnsweredBy(()), again=True, ladder=ladder
        )
        self._lines: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True, name="requests")

    def __enter__(self) -> Requests:
        """Begin, and return itself."""
        if self.rate:
            self._thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        """End the command that runs, and the thread."""
        self._closed.set()
        self._performer.end()
        if self.rate:
            self._thread.join()

    def by(self, names: Iterable[str]) -> dict[str, int]:
        """Return how many of the answers named each of these Pods."""
        wanted = set(names)
        with self._lock:
            lines = tuple(self._lines.items())
        counts: Counter[str] = Counter()
        for line, times in lines:
            for name in answers(Observation((Result(0, line),)), wanted):
                counts[name] += times
        return dict(counts)

    def take(self, result: Result) -> None:
        """Count what one command's requests came to."""
        failed = min(len(REFUSED.findall(result.stderr)), self.rate)
        if result.status != 0 and not failed:
            failed = self.rate  # curl itself could not be run
        with self._lock:
            self.answered += self.rate - failed
            self.failed += failed
            for line in result.stdout.splitlines():
                if line[:LONGEST] in self._lines or len(self._lines) < MOST_LINES:
                    self._lines[line[:LONGEST]] += 1
        self.is_on = failed < self.rate  # with none through, the way may be another by now

    def _work(self) -> None:
        while not self._closed.is_set():
            began = time.monotonic()
            try:
                if self.is_on:
                    self.take(self._performer.perform(bind(self._run, self._performer.found)))
                else:
                    self._find()
            except Told:
                if not self._closed.is_set():
                    self.is_on = False
            self._closed.wait(max(began + SECOND - time.monotonic(), 0.0))

    def _find(self) -> None:
        """Look for a way to the Service. The request counts where it fails though others did not."""
        acting = Acting(self._climb, self._performer)
        acting.present(lambda run: None, lambda line: None)
        self.is_on = bool(acting.results) and acting.results[-1][1].status == 0
        if not self.is_on and self.answered:
            self.failed += 1  # it once was reached, and is not any more
