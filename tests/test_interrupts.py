"""Signals, sent to this very process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType, FunctionType, SimpleNamespace
from typing import cast

import pytest

from kubetour import interrupts
from kubetour.interrupts import heard, held_signals, ignore_signals, last_signal, readable, signals
from tests.test_runner import wait_for


class Collected:
    """Where Python swallows what is raised, as in the callbacks of weak references that imports have."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        os.kill(os.getpid(), self.number)


def let_go(number: int) -> None:
    Collected(number)
    wait_for(lambda: False)  # it comes again meanwhile


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_python_would_swallow_is_heard_all_the_same(number: int) -> None:
    with signals(), pytest.raises(KeyboardInterrupt):
        let_go(number)
    assert last_signal() == number


IMPORTS = "<frozen importlib._bootstrap>"


def in_code_of(name: str, kill: Callable[[], object]) -> None:
    """Let that happen in code of such a file name, the import system's for example."""
    exec(compile("kill()\n[].append(0)\n", name, "exec"), {"kill": kill})  # noqa: S102


def taking_a_lock(kill: Callable[[], object]) -> None:
    """Let that happen where a Condition takes its lock."""
    lock = SimpleNamespace(acquire=kill, release=kill, __enter__=kill, __exit__=kill)
    threading.Condition(cast(threading.Lock, lock)).__enter__()


@pytest.mark.parametrize(
    "doing",
    [partial(in_code_of, IMPORTS), partial(in_code_of, "<string>"), taking_a_lock],
    ids=["importing", "executing a text", "taking a lock"],
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_does_not_break_into_what_would_not_recover(
    number: int, doing: Callable[[Callable[[], object]], None]
) -> None:
    with signals(), pytest.raises(KeyboardInterrupt) as raised:
        broken_later(lambda: doing(partial(os.kill, os.getpid(), number)))
    codes = [entry.frame.code.raw for entry in raised.traceback]
    assert threading.Condition.__enter__.__code__ not in codes
    assert not interrupts._UNBROKEN.intersection(code.co_filename for code in codes)
    assert last_signal() == number


@pytest.mark.parametrize("place", [interrupts._catch, interrupts._send_again, interrupts._unraisable])
def test_one_that_comes_again_while_it_is_still_put_off_is_put_off_once_more(
    place: FunctionType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interrupts, "_AGAIN", 60.0)
    with signals():
        interrupts._late.append(signal.SIGTERM)
        interrupts._again(signal.SIGALRM, cast(FrameType, SimpleNamespace(f_code=place.__code__)))
        assert interrupts._late == [signal.SIGTERM]
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0


def test_one_that_is_put_off_strikes_nobody_once_the_handlers_of_before_are_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(interrupts, "_AGAIN", 60.0)
    before = signal.getsignal(signal.SIGALRM)
    with signals():
        in_code_of("<string>", partial(os.kill, os.getpid(), signal.SIGTERM))
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before


def broken_later(work: Callable[[], None]) -> None:
    work()
    wait_for(lambda: False)  # it comes again meanwhile


def test_a_signal_in_a_text_that_is_executed_does_not_kill_python_at_its_end(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(
        "import os, sys, time\n"
        "from kubetour.interrupts import signals\n"
        "with signals():\n"
        "    try:\n"
        "        exec('os.kill(os.getpid(), 2); [].append(0)')\n"
        "        time.sleep(10)\n"
        "    except KeyboardInterrupt:\n"
        "        sys.exit(3)\n"
    )
    argv = [sys.executable, "-m", "module"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    assert subprocess.run(argv, env=environ, check=False).returncode == 3


def test_a_signal_that_is_held_is_heard_at_the_end() -> None:
    done: list[str] = []
    with signals(), pytest.raises(KeyboardInterrupt):
        held(done)
    assert done == ["inner", "outer"]


def held(done: list[str]) -> None:
    with held_signals():
        with held_signals():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("inner")
        done.append("outer")
    done.append("never")


def test_a_signal_that_is_held_ends_what_is_waited_for_all_the_same() -> None:
    def waiting() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        wait_for(lambda: False)

    with signals(), held_signals(), pytest.raises(KeyboardInterrupt):
        heard(waiting)


def test_a_signal_that_came_before_does_not_let_the_waiting_begin() -> None:
    begun: list[str] = []
    with signals(), held_signals():
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            heard(lambda: begun.append("waiting"))
    assert not begun


# Sends itself a signal where Python does not look whether one came, just before it would wait for ever.
JUST_BEFORE = """
import ctypes, functools, os, signal, types
from kubetour.interrupts import readable, signals
kill = functools.partial(ctypes.PyDLL(None).kill, os.getpid(), signal.SIGTERM)  # returns 0: standard input
with signals():
    try:
        readable(types.SimpleNamespace(fileno=kill))
    except KeyboardInterrupt:
        print("heard")
"""


def test_a_signal_just_before_a_person_is_waited_for_is_heard() -> None:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", JUST_BEFORE]
    nobody, typing = os.pipe()
    try:
        told = subprocess.run(argv, stdin=nobody, stdout=subprocess.PIPE, env=environ, timeout=30, check=True)
    finally:
        os.close(nobody)
        os.close(typing)
    assert told.stdout == b"heard\n"


def test_what_can_be_read_is_not_waited_for() -> None:
    before = signal.set_wakeup_fd(-1)
    there, typing = os.pipe()
    with os.fdopen(there) as stream, os.fdopen(typing, "w") as keys:
        keys.write("a\n")
        keys.flush()
        readable(stream)
        assert stream.read(2) == "a\n"
    assert signal.set_wakeup_fd(before) == -1


def test_the_handlers_of_before_come_back() -> None:
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    hook = sys.unraisablehook
    with signals():
        assert signal.getsignal(signal.SIGTERM) is not before[1]
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
    assert sys.unraisablehook is hook


def test_once_the_process_ends_for_a_signal_no_other_breaks_in() -> None:
    with suppress(KeyboardInterrupt), signals():
        ignore_signals()
        os.kill(os.getpid(), signal.SIGINT)
    for _ in range(3):
        os.kill(os.getpid(), signal.SIGINT)
    with signals(), pytest.raises(KeyboardInterrupt):  # another run in this process hears them again
        os.kill(os.getpid(), signal.SIGINT)
