"""A command through a forwarded port, with programs that speak as kubectl does, on real sockets."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from kubetour import alongside, forwarded
from kubetour.chapters.requests import FORWARDED
from kubetour.forwarded import ADDRESS, main
from kubetour.proofs import spreading

# Speaks as kubectl port-forward does, and answers by itself what comes to its port; `more` comes before that.
FORWARDER = """
import os, socket, sys
{more}
listener = socket.create_server(("127.0.0.1", 0))
port = listener.getsockname()[1]
print(f"Forwarding from 127.0.0.1:{{port}} -> 8080", flush=True)
print(f"Forwarding from [::1]:{{port}} -> 8080", flush=True)
while True:
    connection, _ = listener.accept()
    print("Handling connection for", port, flush=True)
    with connection:
        if connection.recv(65536):
            connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\npod-a")
"""
CURL = [sys.executable, "-m", "kubetour.curl", "-sS", "-H", "Connection: close", "http://{}/?[1-3]"]
SAYS_IT = [sys.executable, "-c", "import sys; print('ran with', sys.argv[1])", "{}"]


def forwarder(more: str = "") -> list[str]:
    return [sys.executable, "-c", FORWARDER.format(more=textwrap.dedent(more))]


def run(
    capfd: pytest.CaptureFixture[str], forward: list[str], command: list[str], *options: str
) -> tuple[int, str, str]:
    """Run it, and return its exit status and what it printed."""
    status = main([*options, "--", *forward, "--", *command])
    out, err = capfd.readouterr()
    return status, out, err


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def noting(path: Path) -> str:
    """Return what lets a program write its process id into a file."""
    return f"open({str(path)!r}, 'w').write(str(os.getpid()))\n"


def test_the_command_runs_with_the_address_and_the_connections_are_counted(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, out, err = run(capfd, forwarder(noting(tmp_path / "pid")), CURL)
    assert (status, err) == (0, "")
    told = r"Forwarding from 127\.0\.0\.1:\d+ -> 8080\npod-apod-apod-a\nconnections: 3\n"
    assert re.fullmatch(told, out)
    assert is_gone(int((tmp_path / "pid").read_text()))


def test_the_commands_exit_status_is_kept_and_forwarding_ended(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    fails = [sys.executable, "-c", "raise SystemExit(3)", "{}"]
    status, out, _ = run(capfd, forwarder(noting(tmp_path / "pid")), fails)
    assert (status, out.splitlines()[-1]) == (3, "connections: 0")
    assert is_gone(int((tmp_path / "pid").read_text()))


def test_forwarding_that_breaks_off_lets_the_requests_fail(capfd: pytest.CaptureFixture[str]) -> None:
    dies = "import threading; threading.Timer(0, lambda: 0)\n_print = print\n" + textwrap.dedent(
        """
        def print(*words, **given):
            _print(*words, **given)
            if words[0].startswith("Handling"):
                sys.stderr.write("error: lost connection to pod\\n")
                sys.stderr.flush()
                os._exit(1)
        """
    )
    status, out, err = run(capfd, forwarder(dies), CURL)
    assert status != 0
    assert "error: lost connection to pod" in err
    assert out.splitlines()[-1] == "connections: 1"


REFUSED = "error: error upgrading connection: the cluster streams\n  over WebSockets only"


@pytest.mark.parametrize(
    ("said", "status", "expected", "out"),
    [
        pytest.param(REFUSED, 1, 0, "the cluster streams over WebSockets only", id="no stream"),
        pytest.param(
            'error: error upgrading connection: pods "a" is forbidden: User "u" cannot create',
            1,
            0,
            'pods "a" is forbidden: User "u" cannot create',
            id="no right",
        ),
        pytest.param('Error from server (NotFound): services "a" not found', 1, 1, "", id="no Service"),
        pytest.param("error: unable to forward port because pod is not running", 5, 5, "", id="not running"),
        pytest.param("", 0, 1, "", id="an end without a word"),
    ],
)
def test_where_forwarding_does_not_begin_nothing_runs_and_the_reason_is_told(
    said: str, status: int, expected: int, out: str, capfd: pytest.CaptureFixture[str]
) -> None:
    ends = f"print({said!r}, file=sys.stderr)\nsys.exit({status})"
    told = run(capfd, forwarder(ends), SAYS_IT)
    assert told == (expected, f"not forwarded: {out}\n" if out else "", f"{said}\n")


def test_forwarding_that_never_begins_is_given_up_and_ended(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    waits = noting(tmp_path / "pid") + "import signal; signal.pause()"
    status, out, err = run(capfd, forwarder(waits), SAYS_IT, "--timeout", "1")
    assert (status, out) == (124, "")
    assert "does not forward after 1 s" in err
    assert is_gone(int((tmp_path / "pid").read_text()))


def test_forwarding_that_ignores_sigterm_is_killed(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alongside, "ENDING", 0.1)
    ignores = noting(tmp_path / "pid") + "import signal; signal.signal(15, signal.SIG_IGN)"
    status, _, _ = run(capfd, forwarder(ignores), CURL)
    assert status == 0
    assert is_gone(int((tmp_path / "pid").read_text()))


def test_a_child_of_forwarding_that_holds_its_output_is_not_waited_for(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarded, "DRAINED", 0.1)
    monkeypatch.setattr(alongside, "ENDING", 0.5)
    pid = tmp_path / "pid"
    child = [sys.executable, "-c", f"import os, signal; {noting(pid)}signal.pause()"]
    forks = f"import subprocess; subprocess.Popen({child!r})\nwhile not os.path.exists({str(pid)!r}): pass"
    status, _, _ = run(capfd, forwarder(forks), CURL)
    os.kill(int(pid.read_text()), signal.SIGKILL)
    assert status == 0


@pytest.mark.parametrize("which", ["forward", "command"])
def test_a_program_that_is_absent_is_named(which: str, capfd: pytest.CaptureFixture[str]) -> None:
    absent = ["/no/such/program", "{}"]
    pair = (absent, SAYS_IT) if which == "forward" else (forwarder(), absent)
    status, _, err = run(capfd, *pair)
    assert (status, err) == (127, "/no/such/program: No such file or directory\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("when", ["before it forwards", "while the command runs"])
def test_a_signal_ends_both_commands(number: signal.Signals, when: str, tmp_path: Path) -> None:
    forward = "import os, sys; sys.stderr.write(f'{os.getpid()}\\n'); sys.stderr.flush()\n"
    if when == "before it forwards":
        forward += "import signal; signal.pause()"
    waits = "import os, signal, sys; print(os.getpid(), file=sys.stderr, flush=True); signal.pause()"
    argv = [sys.executable, "-m", "kubetour.forwarded", "--", *forwarder(forward)]
    argv += ["--", sys.executable, "-c", waits, "{}"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        pids = [int(process.stderr.readline())]
        if when == "while the command runs":
            pids.append(int(process.stderr.readline()))
        process.send_signal(number)
        process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert [pid for pid in pids if not is_gone(pid)] == []


def test_output_that_nobody_reads_ends_both(tmp_path: Path) -> None:
    argv = [
        sys.executable,
        "-m",
        "kubetour.forwarded",
        "--",
        *forwarder(noting(tmp_path / "pid")),
        "--",
        *CURL,
    ]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(timeout=20) != 0
    assert is_gone(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize(
    "argv",
    [[], ["--", "a"], ["--", "a", "--"], ["--", "a", "--", "b"], ["--", "a", "--", "{}", "--", "c"]],
    ids=["nothing", "one command", "an empty one", "no place for the address", "three"],
)
def test_wrong_usage_is_status_2(argv: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert "usage: forwarded" in capfd.readouterr().err


def test_the_proof_and_the_plan_know_its_words() -> None:
    assert ADDRESS in FORWARDED
    assert (forwarded.CONNECTIONS, forwarded.NOT_FORWARDED) == (
        spreading.CONNECTIONS,
        spreading.NOT_FORWARDED,
    )
