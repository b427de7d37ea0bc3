"""How a task ends: what is told, and the exit status."""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Callable

import pytest

from kubetour.ending import told
from kubetour.errors import UsageError


def raising(error: BaseException) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


def in_a_wait_without_its_lock() -> None:
    """Do as `Condition.wait` does where a signal comes as it is about to take its lock again."""
    changed = threading.Condition()
    with changed:
        changed.release()
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize(
    ("work", "status", "cause"),
    [
        pytest.param(raising(UsageError("push-embedded")), 2, "KT1", id="error"),
        pytest.param(lambda: os.kill(os.getpid(), signal.SIGINT), 130, "KT715", id="Ctrl-C"),
        pytest.param(lambda: os.kill(os.getpid(), signal.SIGTERM), 143, "KT715", id="SIGTERM"),
        pytest.param(lambda: os.kill(os.getpid(), signal.SIGHUP), 129, "KT715", id="SIGHUP"),
        pytest.param(in_a_wait_without_its_lock, 143, "KT715", id="SIGTERM, and a lock that is not held"),
        pytest.param(raising(OSError(errno.ENOSPC, "full")), 10, "KT708", id="no space"),
        pytest.param(raising(OSError(errno.EMFILE, "many")), 10, "KT719", id="no file may be opened"),
        pytest.param(raising(MemoryError()), 10, "KT719", id="no memory"),
        pytest.param(raising(RuntimeError("can't start new thread")), 10, "KT719", id="no thread"),
        pytest.param(raising(BrokenPipeError(errno.EPIPE, "gone")), 141, "", id="reader gone"),
    ],
)
def test_whatever_ends_a_task_has_its_exit_status_and_says_why(
    work: Callable[[], None], status: int, cause: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended, told("en"):
        work()
    assert ended.value.code == status
    shown = capfd.readouterr().err
    assert cause in shown
    assert bool(shown) is bool(cause)
    assert "Traceback" not in shown


def test_a_mistake_of_ours_is_not_made_up_as_something_else() -> None:
    with pytest.raises(RuntimeError, match="dictionary changed size"), told("en"):
        raise RuntimeError("dictionary changed size during iteration")
