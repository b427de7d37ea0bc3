"""Signals: each becomes one KeyboardInterrupt, at a moment that nothing is broken by."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import IO, Any, TypeVar

T = TypeVar("T")
_AGAIN = 0.01  # seconds until a signal that came at a bad moment is sent again
SOON = 5.0  # seconds in which what ends a tour after a signal is left alone by the next one
# Where nothing may break in: what takes a lock and only then sees to giving it back would keep it for ever,
# and of an interrupt in a text that is executed (each dataclass is made by one) Python dies at its very end.
_UNBROKEN = {"<frozen importlib._bootstrap>", "<string>"}

_caught: list[int] = []
_pending: list[int] = []  # of these, the ones that have to be heard yet
_raised: list[float] = []  # when a signal became a KeyboardInterrupt, since `signals` was entered
_held: list[bool] = []  # innermost last: whether signals are held, or a command is waited for meanwhile
_late: list[int] = []  # those that are put off
_over: list[None] = []  # whether the process is about to end, as it was asked to


def last_signal() -> int:
    """Return the number of the signal that was caught last; SIGINT if none was."""
    return _caught[-1] if _caught else signal.SIGINT


@contextmanager
def held_signals() -> Iterator[None]:
    """Let a signal take effect only at the end: of a command half started, nobody could end the process."""
    if not _is_main():
        yield  # signals reach the main thread alone
        return
    depth = len(_held)
    _held.append(True)
    try:
        yield
    finally:
        del _held[depth:]
    _hear()


def heard(work: Callable[[], T]) -> T:
    """Return what the work returns, which waits, for a command say: a held signal breaks into that."""
    if not _is_main():
        return work()
    depth = len(_held)
    try:
        _held.append(False)
        _hear()
        return work()
    finally:
        del _held[depth:]


def readable(stream: IO[Any]) -> None:
    """Block until a stream can be read; a signal breaks into that, whenever it comes.

    One that came as `input` is about to wait would be heard after the next line only.
    """
    woken, wake = os.pipe()
    files: list[Any] = [stream, woken]
    os.set_blocking(wake, False)
    before = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    try:
        while stream not in select.select(files, [], [])[0]:
            os.read(woken, 1)  # of a signal that does not matter
    finally:
        signal.set_wakeup_fd(before)
        os.close(woken)
        os.close(wake)


def _hear() -> None:
    """Raise KeyboardInterrupt if there was a signal and it is not held."""
    if _pending and (not _held or _waits()):
        _pending.clear()
        _raised.append(time.monotonic())
        raise KeyboardInterrupt


def _waits() -> bool:
    """Return whether a command is waited for."""
    return bool(_held) and not _held[-1]


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextmanager
def signals() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into the KeyboardInterrupt that SIGINT is, so that one path ends everything.

    Who keeps Ctrl-C pressed sends thirty of them in a second: one that follows soon on another must not
    break into what ends everything. It counts only where a command is waited for.
    """
    hook = sys.unraisablehook
    handlers = dict.fromkeys((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), _catch)
    before: dict[int, Any] = {
        n: signal.signal(n, do) for n, do in {signal.SIGALRM: _again, **handlers}.items()
    }
    for known in (_caught, _pending, _raised, _over, _late):
        known.clear()
    sys.unraisablehook = partial(_unraisable, hook)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if _over and number in handlers else handler)


def _catch(number: int, frame: FrameType | None) -> None:
    if _over:
        return
    code = frame.f_code if frame else None
    if code and (code.co_filename in _UNBROKEN or code in _DEAF):
        _send_again(number)
        return
    _caught.append(number)
    if _raised and not _waits() and time.monotonic() - _raised[-1] < SOON:
        return
    _pending.append(number)
    _hear()


def _unraisable(hook: Callable[[sys.UnraisableHookArgs], Any], unraised: sys.UnraisableHookArgs) -> None:
    """Hear again of a signal that came where Python swallows what is raised: in a callback of its own."""
    if unraised.exc_type is KeyboardInterrupt and _raised and _caught:
        _raised.pop()
        _send_again(_caught.pop())
    else:
        hook(unraised)


def _send_again(number: int) -> None:
    """Let a signal come again a moment later: now it would be heard in the same place."""
    _late.append(number)
    signal.setitimer(signal.ITIMER_REAL, _AGAIN)


def _again(_: int, frame: FrameType | None) -> None:
    numbers = _late.copy()
    _late.clear()
    for number in numbers:
        _catch(number, frame)


# Where nothing may break in, either: what takes a lock, and what has just put off a signal for such a place.
_DEAF = {work.__code__ for work in (threading.Condition.__enter__, _catch, _unraisable, _send_again, _again)}


def ignore_signals() -> None:
    """Let no signal break into the end of the process, once it ends for one: Python would print where.

    Before its very end, Python puts back what a handler of its own had replaced, but not SIG_IGN.
    """
    _over.append(None)
