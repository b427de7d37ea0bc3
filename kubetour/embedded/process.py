"""Operating system processes: started in a session of their own, told from others by their start time.

A process ID alone says nothing after a while, as numbers are given again; with the start time it is unique.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.paths import ROOT_VARIABLE

if TYPE_CHECKING:
    from kubetour.embedded.terminal import Terminal

_LINUX = sys.platform.startswith("linux")
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_PF_EXITING, _PF_KTHREAD = 0x4, 0x200000  # among the flags of proc_pid_stat(5)
# PyDLL keeps the interpreter's lock: between fork and exec there is no other thread to give it back.
_LIBC = ctypes.PyDLL(None) if _LINUX else None
# What a container may have open, as container runtimes set it, in so far as this machine allows.
_OPEN_FILES = 65536
_PIPE = subprocess.PIPE
_EXEC, _EXEC_LOOK = 200, 0.001  # how often one is looked at whose program is replaced; seconds in between


@dataclass(frozen=True)
class ProcessIdentity:
    """A process ID, and when the process started: boot and clock ticks on Linux, else what `ps` says."""

    pid: int
    started: str


def identify(pid: int) -> ProcessIdentity | None:
    """Return the identity of a running process, or None if there is none (or only its zombie)."""
    started = _started_linux(pid) if _LINUX else _started_ps(pid)
    return ProcessIdentity(pid, started) if started else None


def is_alive(process: ProcessIdentity) -> bool:
    """Return whether that very process runs, not another one with its number."""
    return identify(process.pid) == process


def is_ending(process: ProcessIdentity) -> bool:
    """Return whether it was killed, but still holds its files and ports; False where that cannot be seen."""
    fields = _stat(process.pid) if _LINUX else []
    if not fields or process.started != f"{_boot_id()}/{fields[19]}":
        return False
    threads_left = fields[0] == "Z" and int(fields[17]) > 1
    return threads_left or (fields[0] not in "ZX" and bool(int(fields[6]) & _PF_EXITING))


def _started_linux(pid: int) -> str:
    fields = _stat(pid)
    return "" if not fields or fields[0] in "ZX" else f"{_boot_id()}/{fields[19]}"


def _stat(pid: int) -> list[str]:
    """Return the fields after the command's name, which may hold anything; [] if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _started_ps(pid: int) -> str:
    done = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, started = done.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()


def spawn(
    argv: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    stdin: bool = False,
    terminal: Terminal | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program as the leader of a new session, its output in pipes; OSError if it cannot be started.

    `stdin`: its input is a pipe, too, and not empty. A terminal replaces all pipes. It gains no privileges by
    exec, leaves no core files, and on Linux is killed when this thread dies.
    """
    prepare = child_setup(os.getpid())

    def setup() -> None:
        prepare()
        if terminal:
            terminal.become_controlling()

    streams = [terminal.program] * 3 if terminal else [_PIPE if stdin else subprocess.DEVNULL, _PIPE, _PIPE]
    with warnings.catch_warnings():
        # From Python 3.12 on it warns of a fork among threads. What runs in the child takes no lock.
        warnings.simplefilter("ignore", DeprecationWarning)
        return subprocess.Popen(
            argv,
            cwd=directory,
            env=dict(environment),
            stdin=streams[0],
            stdout=streams[1],
            stderr=streams[2],
            start_new_session=True,
            umask=0o022,
            preexec_fn=setup,  # noqa: PLW1509 (see above)
        )


def child_setup(parent: int) -> Callable[[], None]:
    """Return what a child of this process does before exec, so that it is as every container's process."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)

    def setup() -> None:
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
            if os.getppid() != parent:  # it died before the line above
                os._exit(1)

    return setup


def apart(work: Callable[[], None]) -> None:
    """Do work in a child process and wait for it, so that what it loads goes with it.

    EmbeddedError says why if it does not succeed.
    """
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # as in `spawn`
        pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException as error:  # nothing of the parent may go on here
            os.write(writing, f"{type(error).__name__}: {error}".encode(errors="replace")[:4096])
        finally:
            os._exit(status)
    os.close(writing)
    with open(reading, "rb") as report:
        said = report.read().decode(errors="replace")
    _, waited = os.waitpid(pid, 0)
    if waited:
        code = os.waitstatus_to_exitcode(waited)
        raise EmbeddedError(said or f"a process that was to do it ended with status {exit_code(code)}")


def raise_open_files() -> None:
    """Let this process open as many files as it may: each container takes four."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def signal_group(pid: int, number: int) -> None:
    """Send a signal to every process of the group that this process leads; none left is fine."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def kill_marked(process: ProcessIdentity | None, marked: Sequence[int]) -> None:
    """Kill a process, if it is still that one, and its group; and what `marked` found of the same making.

    A mark proves that one is of them where the leader is gone, and its number may be somebody else's.
    """
    if process and is_alive(process):
        signal_group(process.pid, signal.SIGKILL)
    for pid in marked:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def marked(name: str) -> dict[str, list[int]]:
    """Return the processes that were started with an environment variable, by its value. Linux only."""
    found: dict[str, list[int]] = {}
    head = f"{name}=".encode()
    for entry in Path("/proc").glob("[0-9]*") if _LINUX else ():
        with suppress(OSError):
            for item in _environment(int(entry.name)).split(b"\0"):
                if item.startswith(head):
                    found.setdefault(item[len(head) :].decode(errors="replace"), []).append(int(entry.name))
    return found


def _environment(pid: int) -> bytes:
    """Return what a process was started with. It looks empty while exec puts another program in its place."""
    path = Path("/proc", str(pid), "environ")
    for _ in range(_EXEC):
        if (seen := path.read_bytes()) or _has_none(pid):
            return seen
        time.sleep(_EXEC_LOOK)
    return b""


def _has_none(pid: int) -> bool:
    """Return whether a process has no environment at all, by proc_pid_stat(5): `env_start`, `env_end`."""
    fields = _stat(pid)
    if not fields or fields[0] in "ZX" or int(fields[6]) & (_PF_EXITING | _PF_KTHREAD):
        return True
    return fields[47] == fields[48] != "0"


def exit_code(returncode: int) -> int:
    """Return an exit status as shells and container runtimes give it: 128 + N after signal N."""
    return returncode if returncode >= 0 else 128 - returncode


# aiohttp reads the system's certificate authorities as it is imported, which takes 50 ms. A server has no use
# for them: it makes no TLS connection of its own.
_NO_AUTHORITIES = {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull}


def same_package() -> dict[str, str]:
    """Return the PYTHONPATH by which a child imports this very package, wherever it was found from."""
    here = str(Path(__file__).resolve().parents[2])
    return {"PYTHONPATH": os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))}


def start_detached(argv: Sequence[str], log: IO[bytes], *, root: Path, pass_fds: Sequence[int] = ()) -> int:
    """Start a program that goes on after us, in its own session, its output in `log`; return its ID.

    `root` is the state directory it is to use.
    """
    # Popen objects of processes that outlive them warn on deletion; this one is the system's from now on.
    child = subprocess.Popen(
        argv,
        env={**os.environ, **_NO_AUTHORITIES, **same_package(), ROOT_VARIABLE: str(root)},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        pass_fds=pass_fds,
        close_fds=True,
    )
    child.returncode = 0
    return child.pid
