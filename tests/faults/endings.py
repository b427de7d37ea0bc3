"""How a tour can be ended from outside, at a terminal of its own, and what must be so afterwards."""

from __future__ import annotations

import os
import re
import signal
import termios
import time
from contextlib import suppress
from dataclasses import dataclass

from tests.e2e.checkout import Checkout
from tests.e2e.terminal import Terminal, terminal

EVERY = 0.03  # seconds between two characters of a key that is held down
PATIENCE = 20.0  # seconds for what was ended to be gone, on a machine with other work
# What goes on when the tour ends: a cluster, and containers of the chapter about them.
STAYS = re.compile(r"-m kubetour\.embedded(\.proxy_worker| serve| shim)\b|^node app\.js")

CTRL_C = "\x03"
TYPED, HELD = "ctrl-c", "ctrl-c held down"
SIGNALS = {
    "sigint to the process": signal.SIGINT,
    "sigint to the group": signal.SIGINT,
    "sigterm": signal.SIGTERM,
    "sighup": signal.SIGHUP,
    "kill -9": signal.SIGKILL,
}
CLOSED = "closed terminal"
ENDINGS = (TYPED, HELD, *SIGNALS, CLOSED)
# What is shown at each moment of a step, after the one before it.
MOMENTS = {"begun": "· {step} ·", "acting": "$ ", "proved": "\n✓ "}
# What removes something can do so again only once it has been made again.
MADE_BY = {"stop-container": "run-container", "crash": "run-pod", "delete-pod": "run-pod"}
# A Pod that has crashed before is left alone for longer each time, minutes in the end.
AFRESH = {"crash": "delete-pod", "delete-pod": "delete-pod"}


@dataclass(frozen=True)
class Point:
    """A moment of a step, or so many seconds after it, and how the tour is ended then."""

    step: str
    moment: str
    ending: str
    after: float = 0.0

    def __str__(self) -> str:
        return f"{self.ending} at {self.step}, {self.after} s after it has {self.moment}"


def end_at(checkout: Checkout, point: Point, *flags: str) -> str:
    """Go on with the tour to a point's step, end it there, and return what was shown. All must be well."""
    if first := AFRESH.get(point.step):
        checkout.inv("tour", *flags, "--only", first)
    argv = ("tour", *flags, "--from", MADE_BY.get(point.step, point.step))
    with terminal(checkout, *argv) as tour:
        before = termios.tcgetattr(tour.master)
        _reach(tour, point)
        status = _end(tour, point.ending)
        shown = tour.shown.decode()
        assert status == _expected(point.ending), f"{point}: exit status {status}\n{shown}"
        assert "Traceback" not in shown, f"{point}\n{shown}"
        if tour.master >= 0:
            assert termios.tcgetattr(tour.master) == before, f"{point}: the terminal is not as it was"
    # Not as often as it was hidden: with Ctrl-C a terminal drops what it has not shown (termios(3), NOFLSH).
    is_back = shown.rfind("\x1b[?25l") <= shown.rfind("\x1b[?25h")
    assert is_back or point.ending in ("kill -9", CLOSED), f"{point}: the cursor is hidden\n{shown}"
    _nothing_runs_on(checkout, point)
    return shown


def _reach(tour: Terminal, point: Point) -> None:
    for moment, text in MOMENTS.items():
        tour.until(text.format(step=point.step))
        if moment == point.moment:
            break
    _show(tour, point.after)


def _show(tour: Terminal, seconds: float) -> None:
    """Take in what is shown, for so long."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        tour.watch(left)  # which returns with what is shown


def _end(tour: Terminal, ending: str) -> int:
    """End a tour and return its exit status; -9 is what kill -9 gives."""
    if ending == CLOSED:
        tour.close()
        return tour.process.wait(PATIENCE)
    if ending == HELD:
        while tour.process.poll() is None:
            with suppress(OSError):  # it has closed its end, and is about to be gone
                tour.type(CTRL_C)
            _show(tour, EVERY)
    elif ending == TYPED:
        tour.type(CTRL_C)
    elif "group" in ending:
        os.killpg(tour.process.pid, SIGNALS[ending])
    else:
        tour.process.send_signal(SIGNALS[ending])
    return tour.ended()


def _expected(ending: str) -> int:
    if ending == CLOSED:
        return 128 + signal.SIGHUP
    number = SIGNALS.get(ending, signal.SIGINT)
    return -number if number == signal.SIGKILL else 128 + number


def _nothing_runs_on(checkout: Checkout, point: Point) -> None:
    """Prove that no command of the tour runs on; those of a tour that was killed end by themselves."""
    patience = time.monotonic() + (PATIENCE if point.ending == "kill -9" else 0)
    while left := [words for words in checkout.processes() if not STAYS.search(words)]:
        assert time.monotonic() < patience, f"{point}: {left}"
        time.sleep(0.1)
