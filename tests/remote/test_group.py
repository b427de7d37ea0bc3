"""Commands there, against a real sshd: the same as here, and none outlives us or the connection."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fabric import Connection
from hypothesis import HealthCheck, given, settings

from kubetour.checks import TIMED_OUT
from kubetour.errors import HostError, Interrupted, UsageError
from kubetour.interrupts import signals
from kubetour.remote import group, pulse
from kubetour.remote.connection import HostConnection, connection
from kubetour.runner import Running, perform
from kubetour.script import shell
from kubetour.steps import Run
from tests.making import sh
from tests.remote.conftest import Land
from tests.remote.sshd import Sshd
from tests.test_script import HOSTILE

EVER = "tail -f /dev/null"
# Prints its argument and its input, with a NUL between. No Python: the account may not enter where ours lies.
TELL = ("sh", "-c", "printf '%s\\0' \"$1\"; cat", "sh")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give what is interrupted less time: what ignores that (a shell's background does) is waited for."""
    monkeypatch.setattr(group, "PATIENCE", 1)


@pytest.fixture
def c(known: Path, host: str) -> Iterator[HostConnection]:
    """Yield an open connection that works in the account's home."""
    with closing(connection(host)) as opened:
        opened.open()
        yield opened


@pytest.fixture
def ending(land: Land) -> Callable[[], None]:
    """Return a function that waits until nothing of the account runs any more."""

    def wait() -> None:
        wait_for(lambda: not land.account.processes(), lambda: str(land.account.processes()))

    return wait


def wait_for(condition: Callable[[], object], say: Callable[[], str] = lambda: "not in time") -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, say()
        threading.Event().wait(0.02)


class Lines(list[str]):
    """What a command printed, one line at a time, and a way to wait for the first."""

    def __init__(self) -> None:
        super().__init__()
        self.came = threading.Event()

    def __call__(self, line: str) -> None:
        self.append(line)
        self.came.set()


def begin(c: HostConnection, command: str, before: str = ":") -> Running:
    """Return a command that runs and has said so, after what comes before."""
    lines = Lines()
    running = Running(c, sh(f"{before}; echo ready; {command}"), lines)
    assert lines.came.wait(20)
    return running


def test_status_and_both_streams_are_the_commands(c: HostConnection) -> None:
    result = perform(c, sh("echo out; echo err >&2; exit 3"))
    assert (result.status, result.stdout, result.stderr) == (3, "out\n", "err\n")


def test_a_program_that_is_not_there_has_the_shells_own_status(c: HostConnection) -> None:
    assert perform(c, Run(("no-such-program-anywhere",))).status == 127


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HOSTILE, HOSTILE)
def test_arguments_and_input_arrive_as_they_were(c: HostConnection, word: str, text: str) -> None:
    result = perform(c, Run((*TELL, word), text))
    assert result.stdout == f"{word}\0{text.rstrip(chr(10))}\n"


def test_a_command_without_input_reads_none(c: HostConnection) -> None:
    result = perform(c, Run(("cat",)))
    assert (result.status, result.stdout) == (0, "")


def test_it_runs_in_the_directory_that_it_is_given_however_that_is_called(
    c: HostConnection, land: Land
) -> None:
    place = land.account.home / "it's a $(touch pwned) “目录”"
    perform(c, Run(("mkdir", str(place))))
    c.work_in(str(place))
    assert perform(c, Run(("pwd",))).stdout == f"{place}\n"
    assert perform(c, Run(("ls",))).stdout == ""


def test_in_a_directory_that_is_gone_nothing_runs(c: HostConnection, land: Land) -> None:
    c.work_in(str(land.account.home / "gone"))
    result = perform(c, sh("touch anyway"))
    assert result.status == 125
    assert not (land.account.home / "anyway").exists()


def test_no_environment_of_ours_gets_there(c: HostConnection) -> None:
    c.config.run.env = {"LEAK": "$(touch pwned)"}
    assert "LEAK" not in perform(c, Run(("env",))).stdout


def test_lines_are_passed_on_while_the_command_runs(c: HostConnection, tmp_path: Path, land: Land) -> None:
    pipe = land.account.home / "pipe"
    perform(c, Run(("mkfifo", "pipe")))
    lines: list[str] = []

    def line(text: str) -> None:
        lines.append(text)
        if text == "first":
            pipe.write_text("go on\n", encoding="utf-8")  # the command waits for this

    perform(c, sh("echo first; cat pipe; rm pipe; printf last"), line)
    assert lines == ["first", "go on", "last"]


def test_eight_megabytes_of_output_are_captured_whole(c: HostConnection) -> None:
    size = 8 * 1024 * 1024
    assert len(perform(c, sh(f"head -c {size} /dev/zero | tr '\\0' x")).stdout) == size


def test_chinese_that_is_cut_between_two_packets_stays_whole(c: HostConnection) -> None:
    text = "中" * 100_000
    assert perform(c, sh("i=0; while [ $i -lt 100000 ]; do printf 中; i=$((i+1)); done")).stdout == text


def test_a_command_that_is_too_long_is_refused_before_it_is_sent(c: HostConnection) -> None:
    quotes = "'" * 40_000
    assert len(shell(Run(("cat",), quotes))) < 120_000
    with pytest.raises(UsageError) as caught:
        perform(c, Run(("cat",), quotes))
    assert caught.value.key == "command-too-long"


def test_nothing_stays_behind_of_a_command_that_has_ended(
    c: HostConnection, ending: Callable[[], None]
) -> None:
    perform(c, sh("true"))
    ending()


def test_what_a_command_leaves_in_a_session_of_its_own_goes_on(
    c: HostConnection, land: Land, ending: Callable[[], None]
) -> None:
    """So `create cluster` leaves its server."""
    perform(c, sh(f"setsid {EVER} >/dev/null 2>&1 & echo $! >pid"))
    pid = int((land.account.home / "pid").read_text(encoding="utf-8"))
    perform(c, sh("true"))
    assert EVER in " ".join(land.account.processes())
    os.kill(pid, signal.SIGKILL)
    ending()


def test_a_command_over_its_time_ends_with_all_its_children(
    c: HostConnection, ending: Callable[[], None]
) -> None:
    result = perform(c, sh(f"trap '' INT TERM; {EVER} & {EVER}"), timeout=0.5)
    assert result.status == TIMED_OUT
    ending()


def test_ending_a_command_ends_its_whole_group(c: HostConnection, ending: Callable[[], None]) -> None:
    running = begin(c, f"{EVER} & {EVER} & wait")
    assert not running.finished()
    running.end()
    assert running.finished()
    ending()
    running.end()  # a second time does nothing


def test_a_command_may_clean_up_when_it_is_interrupted(c: HostConnection, land: Land) -> None:
    running = begin(c, f"{EVER} & while :; do wait; done", before="trap 'echo >cleaned; exit' INT")
    running.end()
    assert (land.account.home / "cleaned").exists()


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_to_us_ends_the_command_there(
    c: HostConnection, number: int, status: int, ending: Callable[[], None]
) -> None:
    def line(text: str) -> None:
        os.kill(os.getpid(), number)

    with signals(), pytest.raises(Interrupted) as caught:
        perform(c, sh(f"echo ready; exec {EVER}"), line)
    assert caught.value.exit_status == status
    ending()


class TestABrokenConnection:
    @pytest.fixture(autouse=True)
    def asking(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pulse, "PULSE", 0.2)
        monkeypatch.setattr(pulse, "SILENCE", 2.0)  # on a busy machine, an answer may take a second

    def test_that_was_killed(self, c: HostConnection, server: Sshd, ending: Callable[[], None]) -> None:
        running = begin(c, f"{EVER} & {EVER}")
        server.signal(signal.SIGKILL)
        with pytest.raises(HostError) as caught:
            running.wait()
        assert caught.value.key == "host-lost"
        ending()  # what ran there noticed, too

    @pytest.mark.fault("F77")
    def test_that_is_paused(self, c: HostConnection, server: Sshd, ending: Callable[[], None]) -> None:
        running = begin(c, EVER)
        stopped = server.signal(signal.SIGSTOP)
        try:
            with pytest.raises(HostError) as caught:
                running.wait()
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        assert caught.value.key == "host-lost"
        ending()

    def test_that_is_paused_while_a_command_is_to_begin(self, c: HostConnection, server: Sshd) -> None:
        stopped = server.signal(signal.SIGSTOP)
        try:
            with pytest.raises(HostError) as caught:
                perform(c, sh("true"))
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        assert caught.value.key == "host-lost"

    def test_that_is_paused_when_ctrl_c_comes_while_a_command_is_to_begin(
        self, c: HostConnection, server: Sshd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        open_session = c.transport.open_session

        def interrupted() -> object:
            os.kill(os.getpid(), signal.SIGINT)
            return open_session()

        monkeypatch.setattr(c.transport, "open_session", interrupted)
        stopped = server.signal(signal.SIGSTOP)
        try:
            with signals(), pytest.raises(Interrupted):
                perform(c, sh("true"))
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)

    def test_ctrl_c_ends_the_waiting_for_one_that_is_made_again_for_a_command(
        self, c: HostConnection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waited: list[bool] = []

        def interrupted(connection: HostConnection) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            waited.append(threading.Event().wait(1))

        c.close()
        monkeypatch.setattr(Connection, "open", interrupted)
        with signals(), pytest.raises(Interrupted):
            perform(c, sh("true"))
        assert not waited

    def test_a_slow_but_living_one_is_not_given_up(self, c: HostConnection) -> None:
        assert perform(c, sh("sleep 3; echo still here")).stdout == "still here\n"

    def test_the_next_command_connects_again(self, c: HostConnection, server: Sshd) -> None:
        server.signal(signal.SIGKILL)
        wait_for(lambda: not c.is_connected)
        assert perform(c, sh("echo again")).stdout == "again\n"


def test_many_commands_leave_no_open_files_and_no_threads(c: HostConnection) -> None:
    perform(c, sh("true"))
    files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(20):
        perform(c, sh("true"))
    assert len(os.listdir("/proc/self/fd")) <= files
    wait_for(lambda: threading.active_count() <= threads)


@pytest.mark.parametrize("outer", ["sh", "bash"])
@pytest.mark.parametrize("inner", ["/bin/sh", "/bin/bash"])
def test_the_wrapping_is_silent_in_every_shell(outer: str, inner: str, tmp_path: Path) -> None:
    """A login shell reads the line, and /bin/sh the script: each may be a dash or a bash."""
    line = group.wrapped(shell(Run(("cat",), "it's\n$HOME\n")), str(tmp_path)).replace("/bin/sh", inner, 1)
    with subprocess.Popen(
        [outer, "-c", line], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as running:  # fmt: skip
        assert running.stdout
        assert running.stderr
        said = running.stdout.read(), running.stderr.read()  # its input is open all the while
    assert (running.returncode, *said) == (0, "it's\n$HOME\n", "")
