from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kubetour.embedded.process import (
    ProcessIdentity,
    exit_code,
    identify,
    is_alive,
    is_ending,
    kill_marked,
    marked,
    signal_group,
    spawn,
)

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only: it reads /proc")


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.005)


def started(script: str, directory: Path, **environment: str) -> subprocess.Popen[bytes]:
    return spawn(["sh", "-c", script], directory=directory, environment={"PATH": os.defpath, **environment})


def output(process: subprocess.Popen[bytes]) -> str:
    with process:
        assert process.stdout is not None
        return process.stdout.read().decode()


def test_a_process_is_known_by_its_number_and_its_start(tmp_path: Path) -> None:
    with started("sleep 60", tmp_path) as process:
        identity = identify(process.pid)
        assert identity is not None
        assert is_alive(identity)
        process.kill()
        process.wait()
        assert not is_alive(identity)
    own = identify(os.getpid())
    assert own is not None
    assert is_alive(own)
    assert not is_alive(ProcessIdentity(own.pid, own.started + "0"))


@linux
@pytest.mark.parametrize(
    ("state", "flags", "threads", "ending"),
    [
        pytest.param("S", 0x400000, 3, False, id="it runs"),
        pytest.param("R", 0x400004, 3, True, id="it exits"),
        pytest.param("Z", 0x40000C, 2, True, id="its first thread is gone, others are not"),
        pytest.param("Z", 0x40000C, 1, False, id="a zombie holds nothing"),
        pytest.param("X", 0x40000C, 1, False, id="dead"),
    ],
)
def test_a_killed_process_is_ending_as_long_as_it_holds_something(
    monkeypatch: pytest.MonkeyPatch, state: str, flags: int, threads: int, ending: bool
) -> None:
    own = identify(os.getpid())
    assert own is not None
    start = own.started.rpartition("/")[2]
    fields = [state, *["0"] * 5, str(flags), *["0"] * 10, str(threads), "0", start]
    monkeypatch.setattr("kubetour.embedded.process._stat", lambda pid: fields)
    assert is_ending(own) is ending
    assert not is_ending(ProcessIdentity(own.pid, "another"))


def test_this_process_is_not_ending() -> None:
    own = identify(os.getpid())
    assert own is not None
    assert not is_ending(own)


def test_a_container_sees_nothing_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    seen = output(started("env", tmp_path, A="1"))
    assert "SECRET" not in seen
    assert "A=1" in seen


@linux
def test_a_container_has_no_new_privileges_no_core_files_and_a_session_of_its_own(tmp_path: Path) -> None:
    seen = output(started("grep NoNewPrivs /proc/self/status; ulimit -c; cat /proc/$$/stat; pwd", tmp_path))
    privileges, core, stat, directory = seen.splitlines()
    assert privileges.split() == ["NoNewPrivs:", "1"]
    assert core == "0"
    pid, session = stat.split()[0], stat.rpartition(")")[2].split()[3]
    assert pid == session
    assert directory == str(tmp_path)


def test_a_signal_reaches_the_whole_group(tmp_path: Path) -> None:
    with started("sleep 60 & sleep 60 & wait", tmp_path) as process:
        signal_group(process.pid, 9)
        assert exit_code(process.wait()) == 137
    signal_group(process.pid, 9)  # nobody is left, which is fine


@linux
def test_what_a_dead_leader_left_behind_is_found_by_its_mark(tmp_path: Path) -> None:
    script = "sleep 60 & echo $!; kill -9 $$"
    with started(script, tmp_path, MARK="mine") as process:
        leader = identify(process.pid) or ProcessIdentity(process.pid, "gone")
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.wait()
        kill_marked(leader, [])
        assert identify(child) is not None
        assert marked("MARK")["mine"] == [child]
        kill_marked(leader, [child])
        until(lambda: identify(child) is None)


@linux
def test_one_that_is_just_being_replaced_by_exec_is_found_by_its_mark(tmp_path: Path) -> None:
    (tmp_path / "again").write_text("exec sh again\n")
    with started("exec sh again", tmp_path, MARK="replaced") as process:
        until(lambda: "replaced" in marked("MARK"))
        looks = [marked("MARK").get("replaced") for _ in range(300)]
        process.kill()
    assert looks == [[process.pid]] * 300


@linux
def test_a_container_dies_with_the_process_that_manages_it(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from kubetour.embedded.process import spawn\n"
        "p = spawn(['sleep', '60'], directory=Path('.'), environment={'PATH': '/usr/bin:/bin'})\n"
        "print(p.pid, flush=True); sys.stdin.read()"
    )
    manager = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        text=True,
    )
    with manager:
        assert manager.stdout is not None
        pid = int(manager.stdout.readline())
        assert identify(pid) is not None
        manager.kill()
    until(lambda: identify(pid) is None)


def test_without_proc_ps_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubetour.embedded.process._LINUX", False)
    with subprocess.Popen(["sleep", "60"]) as process:
        identity = identify(process.pid)
        assert identity is not None
        assert is_alive(identity)
        kill_marked(identity, [])  # it leads no group, so nothing is signalled
        process.kill()
        process.wait()
        assert not is_alive(identity)


@pytest.mark.parametrize(("status", "code"), [(0, 0), (3, 3), (-15, 143), (-9, 137)])
def test_exit_codes_are_those_of_a_shell(status: int, code: int) -> None:
    assert exit_code(status) == code
