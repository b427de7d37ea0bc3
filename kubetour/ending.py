"""How a task ends: an error, a signal or a stream that is gone becomes a text and an exit status."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from kubetour.errors import SHORT, Interrupted, KubetourError, ResourceError, Told, short
from kubetour.interrupts import ignore_signals, last_signal, signals
from kubetour.terminal import console as consoles
from kubetour.terminal.mistakes import print_error


@contextmanager
def told(language: str) -> Iterator[None]:
    """Turn an error into its text on standard error and its exit status."""
    _stand_in()
    with signals():
        try:
            yield
        except SystemExit:
            ignore_signals()
            raise
        except Told as error:
            _end(error, language)
        except KeyboardInterrupt:
            _end(Interrupted(last_signal()), language)
        except (OSError, MemoryError, RuntimeError) as error:
            if _came_of_a_signal(error):
                _end(Interrupted(last_signal()), language)
            if too_little := _too_little(error):
                _end(too_little, language)
            raise SystemExit(_gone(error)) from error


def _came_of_a_signal(error: BaseException | None) -> bool:
    """Return whether a signal was on its way up: it may leave `Condition.wait` with no lock to give back."""
    while error := error.__context__ if error else None:
        if isinstance(error, KeyboardInterrupt):
            return True
    return False


def _stand_in() -> None:
    """Replace streams that the caller has closed (`>&-`): what is opened next must not take their place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _too_little(error: Exception) -> KubetourError | None:
    """Return the error for a disk that is full, or for a machine that has no more of something."""
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT):
        return ResourceError("disk-full")
    no_thread = isinstance(error, RuntimeError) and "start new thread" in str(error)
    return short(error) if number in SHORT or no_thread or isinstance(error, MemoryError) else None


def _end(error: Told, language: str) -> None:
    ignore_signals()
    try:
        tell_error(error, language)
    except OSError as gone:
        _gone(gone)
    raise SystemExit(error.exit_status) from error


def _gone(error: Exception) -> int:
    """Return the exit status for when who read our output is gone; raises the error if it is another one.

    Nothing more can be told, and Python must not try at exit. Of a closed terminal, there is a SIGHUP, too.
    """
    number = getattr(error, "errno", None)
    if number not in (errno.EPIPE, errno.EIO, errno.ENOSPC):
        raise error
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return 128 + (signal.SIGHUP if number == errno.EIO else signal.SIGPIPE)


def tell_error(error: Told, language: str) -> None:
    """Print an error on standard error: cause, evidence, diagnosis, fix."""
    print_error(consoles.make(sys.stderr), error, language)
