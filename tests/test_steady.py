"""The steady load, against real servers on loopback: quick, slow, silent, refusing, resetting ones."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubetour import alongside, steady
from kubetour.steady import MOST_FAILURES, MOST_NAMES, MOST_SECONDS, Load, Tally, main

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\npod-a"
HERE = ["--before", "0.1", "--after", "0.1", "--rate", "100"]
TRUE = [sys.executable, "-c", "pass"]


@contextlib.contextmanager
def serving(handle: Callable[[socket.socket], None]) -> Iterator[str]:
    """Yield the URL of a server that hands each connection, in a thread of its own, to a function."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listener:
        threads: list[threading.Thread] = []

        def one(connection: socket.socket) -> None:
            with connection:
                handle(connection)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threads.append(threading.Thread(target=one, args=(connection,)))
                threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join()


def answers(data: bytes) -> Callable[[socket.socket], None]:
    """Return what reads a request and sends these bytes."""

    def handle(connection: socket.socket) -> None:
        if connection.recv(65536):
            connection.sendall(data)

    return handle


def resets(connection: socket.socket) -> None:
    """End a connection as a crash does."""
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hangs(connection: socket.socket) -> None:
    """Take a request, and say nothing until the client gives up."""
    while connection.recv(65536):
        pass


def first_well(then: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    """Return what answers the first connection, and does something else with the others."""
    well = iter([answers(ANSWER)])

    def handle(connection: socket.socket) -> None:
        next(well, then)(connection)

    return handle


def run(capfd: pytest.CaptureFixture[str], *argv: str) -> tuple[int, dict[str, Any], str]:
    """Run it, and return its exit status, its summary, and what was on standard error."""
    status = main(argv)
    out, err = capfd.readouterr()
    return status, json.loads(out), err


def test_every_request_has_a_connection_of_its_own_and_is_counted_by_its_answer(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with serving(answers(ANSWER)) as url:
        status, told, _ = run(capfd, *HERE, url, "--", *TRUE)
    assert status == 0
    assert told["failed"] == 0
    assert told["requests"] == sum(row["ok"] for row in told["seconds"]) > 10
    assert told["seconds"][0]["by"] == {"pod-a": told["seconds"][0]["ok"]}
    assert told["milliseconds"]["p50"] <= told["milliseconds"]["p99"] <= told["milliseconds"]["max"]


def test_an_answer_that_something_is_not_found_is_an_answer(capfd: pytest.CaptureFixture[str]) -> None:
    with serving(answers(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")) as url:
        assert run(capfd, *HERE, url, "--", *TRUE)[1]["failed"] == 0


def test_commands_run_in_turn_their_output_is_not_ours_and_the_last_one_decides(
    capfd: pytest.CaptureFixture[str],
) -> None:
    fails = [sys.executable, "-c", "print('said'); raise SystemExit(3)"]
    with serving(answers(ANSWER)) as url:
        status, told, err = run(capfd, *HERE, url, "--", *fails, "--", *TRUE)
        assert run(capfd, *HERE, url, "--", *TRUE, "--", *fails)[0] == 3
    first, second = told["marks"]
    assert (status, first["status"], second["status"]) == (0, 3, 0)
    assert first["at"] <= first["ended"] <= second["at"] <= second["ended"]
    assert err == "said\n"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["/no/such/program"], 127),
        ([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], 137),
    ],
    ids=["absent", "killed"],
)
def test_a_command_that_does_not_end_by_itself_has_the_status_a_shell_gives(
    command: list[str], status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(answers(ANSWER)) as url:
        assert run(capfd, *HERE, url, "--", *command)[0] == status


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        (resets, "connection reset"),
        (hangs, "timed out"),
        (answers(b""), "closed without an answer"),
        (answers(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"), "HTTP 503"),
        (answers(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\npod-a"), "the answer broke off"),
        (answers(b"HTTP/1.1 5xx\r\n\r\n"), "HTTP 5xx"),
        (answers(b"nonsense\r\n\r\n"), "no HTTP"),
    ],
    ids=["reset", "silence", "closed", "an error status", "half an answer", "a strange status", "no HTTP"],
)
def test_a_request_without_a_good_answer_has_failed_and_it_is_told_why(
    then: Callable[[socket.socket], None], reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(first_well(then)) as url:
        status, told, _ = run(capfd, *HERE, "--timeout", "0.3", url, "--", *TRUE)
    assert status == 0
    assert told["failed"] == told["requests"] - 1 == told["reasons"][reason]
    assert told["failures"][0]["reason"] == reason
    assert len(told["failures"]) == MOST_FAILURES


def test_the_schedule_does_not_slow_down_when_answers_do(capfd: pytest.CaptureFixture[str]) -> None:
    enough = threading.Barrier(30)

    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        if not enough.broken:
            with contextlib.suppress(threading.BrokenBarrierError):
                enough.wait()  # nothing is answered until so many wait
                enough.abort()
        connection.sendall(ANSWER)

    with serving(first_well(handle)) as url:
        status, told, _ = run(capfd, "--rate", "100", "--before", "0.1", "--after", "1", url, "--", *TRUE)
    assert status == told["failed"] == 0
    assert told["milliseconds"]["max"] > 200  # counted from when a request was due, not from when it left


def test_where_nothing_answers_no_command_runs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    touch = [sys.executable, "-c", f"open({str(tmp_path / 'ran')!r}, 'w')"]
    status, told, _ = run(capfd, *HERE, f"http://127.0.0.1:{port}/", "--", *touch)
    assert (status, told["marks"]) == (0, [])
    assert told["reasons"] == {"connection refused": told["requests"]}
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_load_and_its_command(number: signal.Signals) -> None:
    child = "import os, signal; print(os.getpid(), flush=True); signal.pause()"
    with serving(answers(ANSWER)) as url:
        argv = [sys.executable, "-m", "kubetour.steady", *HERE, url, "--", sys.executable, "-c", child]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            pid = int(process.stderr.readline())
            process.send_signal(number)
            out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (128 + number, "", "")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_command_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alongside, "ENDING", 0.1)
    ignoring = "import signal; signal.signal(15, signal.SIG_IGN); print(flush=True); signal.pause()"

    async def scenario() -> int:
        tally = Tally(1)
        load = Load("http://127.0.0.1:1/", tally, 1)
        reading, writing = os.pipe()
        with os.fdopen(reading) as told, os.fdopen(writing, "w") as stream:
            monkeypatch.setattr(sys, "stderr", stream)
            command = [sys.executable, "-c", ignoring]
            task = asyncio.ensure_future(steady.execute(command, load, tally))
            await asyncio.to_thread(told.readline)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        return len(tally.marks)

    assert asyncio.run(scenario()) == 1


@pytest.mark.parametrize(
    "argv",
    [
        ["http://127.0.0.1:1/"],
        ["http://127.0.0.1:1/", "--"],
        ["--rate", "0", "http://127.0.0.1:1/", "--", "true"],
        ["--rate", "1e9", "http://127.0.0.1:1/", "--", "true"],
        ["https://127.0.0.1:1/", "--", "true"],
        ["127.0.0.1:1", "--", "true"],
    ],
    ids=["no command", "an empty command", "no rate", "too high a rate", "https", "no scheme"],
)
def test_wrong_usage_is_status_2(argv: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert "usage: steady" in capfd.readouterr().err


def test_the_tally_stays_small_however_long_it_counts() -> None:
    tally = Tally(1)
    for number in range(3 * MOST_SECONDS):
        tally.answered(float(number), 0.001 * (number % 50), f"answer {number}")
        tally.lost(float(number), "timed out")
    assert len(tally.seconds) == MOST_SECONDS
    assert sum(row["ok"] + row["failed"] for row in tally.seconds) == tally.requests == 6 * MOST_SECONDS
    assert len({name for row in tally.seconds for name in row["by"]}) == MOST_NAMES + 1
    assert len(tally.failures) == MOST_FAILURES


def test_quantiles_are_those_of_the_answers() -> None:
    tally = Tally(1)
    assert tally.quantile(0.5) is None
    for milliseconds in range(1, 101):
        tally.answered(0.0, milliseconds / 1000, "pod-a")
    assert [tally.quantile(share) for share in (0.5, 0.99, 1.0)] == [50.0, 99.0, 100.0]
