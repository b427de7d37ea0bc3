"""The one caller of the shell, against a real /bin/sh."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, given, settings
from invoke.context import Context
from invoke.exceptions import ThreadException

from kubetour import runner
from kubetour.checks import TIMED_OUT, Result
from kubetour.errors import Interrupted
from kubetour.interrupts import last_signal, signals
from kubetour.runner import (
    Running,
    Sink,
    perform,
    perform_all,
)
from kubetour.steps import Run
from tests.making import sh
from tests.test_script import HOSTILE, TELL

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")

EVER = "tail -f /dev/null"  # runs until it is ended, and is no shell's builtin


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Return when the condition holds; the kernel tells nobody, so it is asked."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        threading.Event().wait(0.01)


def _alive(pids: Path) -> bool:
    """Return whether the process, or one of its group, named in a file still runs."""
    return any(_in_group(int(entry.name), pids) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _gone(pids: Path) -> bool:
    return not _alive(pids)


def _in_group(pid: int, pids: Path) -> bool:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    session, state = int(fields[3]), fields[0]
    leader = int(pids.read_text())
    return leader in (session, pid) and state != "Z"


def test_status_and_both_streams_are_the_commands(c: Context) -> None:
    result = perform(c, sh("echo out; echo err >&2; exit 3"))
    assert (result.status, result.stdout, result.stderr) == (3, "out\n", "err\n")
    assert 0 < result.seconds < 30


def test_a_program_that_is_not_there_has_the_shells_own_status(c: Context) -> None:
    result = perform(c, Run(("no-such-program-anywhere",)))
    assert result.status == 127
    assert "not found" in result.stderr


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HOSTILE, HOSTILE)
def test_arguments_and_input_arrive_as_they_were(c: Context, word: str, text: str) -> None:
    result = perform(c, Run((*TELL, word), text))
    assert result.stdout == f"{word}\0{text.rstrip(chr(10))}\n"


def test_a_command_without_input_reads_none(c: Context) -> None:
    result = perform(c, Run(("cat",)))
    assert (result.status, result.stdout) == (0, "")


def test_lines_are_passed_on_while_the_command_runs(c: Context, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    lines: list[str] = []

    def line(text: str) -> None:
        lines.append(text)
        if text == "first":
            pipe.write_text("go on\n")  # the command waits for this, so the line came while it ran

    result = perform(c, sh(f"echo first; cat {pipe}; printf last"), line)
    assert lines == ["first", "go on", "last"]
    assert result.stdout == "first\ngo on\nlast"


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        (["a\nb\n"], ["a", "b"]),
        (["a", "b", "\n", "c"], ["ab", "c"]),
        (["a\r\nb\r", "\nc"], ["a", "b", "c"]),
        (["\n\n"], ["", ""]),
        ([], []),
        ([""], []),
    ],
)
def test_a_sink_makes_whole_lines_of_pieces(pieces: list[str], lines: list[str]) -> None:
    got: list[str] = []
    sink = Sink(got.append)
    for piece in pieces:
        sink.write(piece)
        sink.flush()
    sink.close()
    sink.close()
    assert got == lines


def test_eight_megabytes_of_output_are_captured_in_linear_time(c: Context) -> None:
    size = 8 * 1024 * 1024
    result = perform(c, sh(f"head -c {size} /dev/zero | tr '\\0' x"))
    assert len(result.stdout) == size
    assert result.seconds < 60  # with the square of the length, hours


def test_a_character_that_lies_in_two_chunks_stays_whole(c: Context) -> None:
    result = perform(c, sh("i=0; while [ $i -lt 3000 ]; do printf 中; i=$((i+1)); done"))
    assert result.stdout == "中" * 3000


def test_a_command_over_its_time_is_killed_with_all_its_children(c: Context, tmp_path: Path) -> None:
    pids = tmp_path / "pid"
    result = perform(c, sh(f"echo $$ > {pids}; trap '' INT TERM; {EVER} & {EVER}"), timeout=0.5)
    assert result.status == TIMED_OUT
    wait_for(lambda: not _alive(pids))


def test_a_timer_of_a_command_that_has_ended_does_not_stay_behind(c: Context) -> None:
    perform(c, sh("true"), timeout=60)
    wait_for(lambda: not [t for t in threading.enumerate() if isinstance(t, threading.Timer)], 5)


def test_ending_a_command_in_the_background_ends_its_whole_group(
    c: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubetour.local.PATIENCE", 0.2)  # what a shell puts in the background ignores SIGINT
    pids = tmp_path / "pid"
    running = Running(c, sh(f"{EVER} & echo $$ > {pids}.new; mv {pids}.new {pids}; wait"), lambda text: None)
    wait_for(pids.exists)
    assert not running.finished()
    assert _alive(pids)
    running.end()
    assert running.finished()
    wait_for(lambda: not _alive(pids))
    running.end()  # a second time does nothing


def test_ending_a_command_that_has_ended_is_harmless(c: Context) -> None:
    running = Running(c, sh("true"), lambda text: None)
    assert running.wait().status == 0
    running.end()


def test_a_command_that_ignores_the_interrupt_is_killed(
    c: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubetour.local.PATIENCE", 0.2)
    pids = tmp_path / "pid"
    running = Running(
        c, sh(f"trap '' INT; echo $$ > {pids}.new; mv {pids}.new {pids}; exec {EVER}"), lambda text: None
    )
    wait_for(pids.exists)
    running.end()
    assert running.finished()
    wait_for(lambda: not _alive(pids))  # killed with its group, and then for init to reap


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_to_us_ends_the_command_and_is_told_as_an_interrupt(
    c: Context, tmp_path: Path, number: int, status: int
) -> None:
    pids = tmp_path / "pid"

    def line(text: str) -> None:
        os.kill(os.getpid(), number)

    with signals(), pytest.raises(Interrupted) as caught:
        perform(c, sh(f"echo $$ > {pids}; echo ready; exec {EVER}"), line)
    assert caught.value.exit_status == status
    assert last_signal() == number
    wait_for(lambda: not _alive(pids))


def test_commands_side_by_side_need_not_wait_for_each_other(c: Context, tmp_path: Path) -> None:
    met = tmp_path / "met"
    os.mkfifo(met)
    found = perform_all(
        c, (sh(f"read word <{met}; echo $word; exit 3"), sh(f"echo hello >{met}"), sh("echo x"))
    )
    assert [(each.status, each.stdout) for each in found] == [(3, "hello\n"), (0, ""), (0, "x\n")]


def test_of_many_commands_only_some_run_at_a_time_and_all_of_them_do(
    c: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    most, now = [0], set[int]()

    class Counted(Running):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            now.add(id(self))
            most.append(len(now))

        def wait(self) -> Result:
            found = super().wait()
            now.discard(id(self))
            return found

    monkeypatch.setattr(runner, "Running", Counted)
    numbers = [str(number) for number in range(3 * runner.MOST)]
    found = perform_all(c, [sh(f"echo {number}") for number in numbers])
    assert [each.stdout.strip() for each in found] == numbers
    assert max(most) == runner.MOST


def test_an_interrupt_ends_all_commands_that_run_side_by_side(c: Context, tmp_path: Path) -> None:
    pids = [tmp_path / str(number) for number in range(3)]

    def interrupt() -> None:
        wait_for(lambda: all(path.exists() for path in pids))
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with signals(), pytest.raises(Interrupted):
        perform_all(c, [sh(f"echo $$ > {path}.new; mv {path}.new {path}; exec {EVER}") for path in pids])
    thread.join()
    for path in pids:
        wait_for(partial(_gone, path))


def test_where_one_of_several_commands_cannot_be_begun_the_others_are_ended(
    c: Context, tmp_path: Path
) -> None:
    pids = tmp_path / "pid"

    def runs() -> Iterator[Run]:
        yield sh(f"echo $$ > {pids}.new; mv {pids}.new {pids}; exec {EVER}")
        wait_for(pids.exists)
        raise OSError("no more processes")

    with pytest.raises(OSError, match="no more"):
        perform_all(c, runs())


@contextmanager
def traced(trace: Callable[[FrameType, str, Any], Any]) -> Iterator[None]:
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("count", range(1, 13))
def test_a_signal_between_any_two_lines_of_the_waiting_ends_the_command(
    c: Context, tmp_path: Path, count: int
) -> None:
    """At line `count` of our waiting and of Invoke's, each of which a signal may come just before."""
    pids, left = tmp_path / "pid", [count]

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_name not in ("wait", "_finish", "join") or "threading" in frame.f_code.co_filename:
            return None
        left[0] -= event == "line"
        if event == "line" and left[0] == 0:
            os.kill(os.getpid(), signal.SIGINT)
        return trace

    running = Running(c, sh(f"echo $$ > {pids}.new; mv {pids}.new {pids}; exec {EVER}"), lambda text: None)
    wait_for(pids.exists)
    stuck = threading.Timer(20, os.killpg, (os.getpgid(int(pids.read_text())), signal.SIGKILL))

    def interrupt() -> None:
        if left[0] > 0:  # there is no such line
            os.kill(os.getpid(), signal.SIGINT)

    later = threading.Timer(0.5, interrupt)
    stuck.start()
    with signals(), suppress(Interrupted, KeyboardInterrupt):
        later.start()
        with traced(trace):
            running.wait()
    later.cancel()
    running.end()  # as who has begun it does where the signal came before the waiting
    assert not stuck.finished.is_set(), "nobody ended it"
    stuck.cancel()
    wait_for(lambda: not _alive(pids))


class TooEarly(Context):
    """Where Ctrl-C comes before the command has begun."""

    def run(self, command: str, **kwargs: Any) -> NoReturn:
        raise KeyboardInterrupt


def test_an_interrupt_before_a_command_has_begun_is_told_as_one() -> None:
    with pytest.raises(Interrupted):
        perform(TooEarly(), sh("true"))


def test_a_signal_soon_after_another_counts_only_while_a_command_is_waited_for(
    c: Context, tmp_path: Path
) -> None:
    stubborn, heard = f"trap 'echo heard' INT; echo ready; while :; do {EVER} & wait; done", []

    def line(text: str) -> None:
        heard.append(text)
        os.kill(os.getpid(), signal.SIGINT)

    with signals():
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)  # breaks into nothing
        assert last_signal() == signal.SIGTERM
        again = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        again.start()
        with pytest.raises(Interrupted):
            perform(c, sh(stubborn), line)
        again.join()
    assert heard == ["ready"], "what it says of the interrupt is left out"


def test_a_command_is_waited_for_although_nobody_hears_it_any_more(c: Context, tmp_path: Path) -> None:
    def line(text: str) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        perform(c, sh(f"echo one; echo two; touch {tmp_path}/done"), line)
    assert (tmp_path / "done").exists()


def test_a_command_is_ended_where_there_can_be_no_thread_that_waits_until_it_is_killed(
    c: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()
    running = Running(c, sh("trap '' INT; echo begun; while :; do sleep 1; done"), lambda _: begun.set(), 600)
    assert begun.wait(20)

    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        running.end()
    assert running.finished()
    timer = running._promise.runner._timer
    assert timer
    timer.join(20)  # it would hold up the end of Python
    assert not timer.is_alive()


def test_a_command_is_not_waited_for_where_the_reader_of_its_output_has_failed(c: Context) -> None:
    def line(text: str) -> None:
        raise ValueError(text)

    running = Running(c, sh("echo x; exec tail -f /dev/null"), line)
    with pytest.raises(ThreadException):
        running.wait()
    with pytest.raises(ThreadException):
        running.end()


def test_many_commands_leave_no_threads(c: Context) -> None:
    for _ in range(20):
        perform(c, sh("true"))
    waiting = [thread for thread in threading.enumerate() if thread.name == "wait-for-command"]
    for thread in waiting:
        thread.join(10)
    assert not [thread for thread in waiting if thread.is_alive()]


def test_many_commands_leave_no_open_files(c: Context) -> None:
    perform(c, sh("true"))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        perform(c, sh("true"))
    assert len(os.listdir("/proc/self/fd")) <= before
