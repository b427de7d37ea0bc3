"""A real sshd of one's own on loopback, with keys made for it, for as long as a test needs it."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 20.0  # seconds


def find_sshd() -> str | None:
    """Return the path of sshd, which wants to be called by it; users do not have /usr/sbin on PATH."""
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def keygen(path: Path, kind: str = "ed25519") -> str:
    """Make a key without a passphrase and return its public half."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "test", "-f", str(path)], check=True, timeout=60
    )
    return path.with_name(path.name + ".pub").read_text(encoding="utf-8").strip()


@dataclass
class Sshd:
    """A server: its directory, its port, its process."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes]
    host_key: str  # the public half

    def sessions(self) -> list[int]:
        """Return the processes that serve connections."""
        pid = self.process.pid
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
        )
        return [int(word) for word in found.stdout.split()]

    def signal(self, number: signal.Signals) -> list[int]:
        """Send a signal to every process that serves a connection, and to those that it has made for that."""
        hit = []
        for pid in self.sessions():
            hit += [pid, *_children(pid)]
        for pid in hit:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        return hit

    def known(self) -> str:
        """Return the line of known_hosts for it."""
        kind, key, *_ = self.host_key.split()
        return f"[127.0.0.1]:{self.port} {kind} {key}\n"

    def log(self) -> str:
        """Return what it has logged."""
        return (self.directory / "log").read_text(encoding="utf-8", errors="replace")


def _children(pid: int) -> list[int]:
    """Return the children of a connection's process that are sshd themselves: it drops its privileges so."""
    found = subprocess.run(
        ["ps", "-o", "pid=,comm=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    rows = (line.split() for line in found.stdout.splitlines())
    return [int(row[0]) for row in rows if row[1].startswith("sshd")]


@contextlib.contextmanager
def serve(authorized: str, home: Path, *options: str, **environment: str) -> Iterator[Sshd]:
    """Yield a server that lets in whoever has the private half of a key; `home` is everybody's there.

    `environment` is what every session has, too.
    """
    program = find_sshd()
    assert program
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd's own, for dropping privileges
    directory = Path(tempfile.mkdtemp(prefix="kubetour-sshd-"))
    directory.chmod(0o755)
    try:
        host_key = keygen(directory / "host_key")
        (directory / "authorized_keys").write_text(authorized + "\n", encoding="utf-8")
        port = free_port()
        lines = [
            "ListenAddress 127.0.0.1",
            f"Port {port}",
            f"HostKey {directory}/host_key",
            f"AuthorizedKeysFile {directory}/authorized_keys",
            f"PidFile {directory}/pid",
            "StrictModes no",
            "UsePAM no",
            "PermitRootLogin prohibit-password",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "Subsystem sftp internal-sftp",
            "SetEnv "
            + " ".join(f'"{name}={value}"' for name, value in {"HOME": home, **environment}.items()),
            *options,
        ]
        (directory / "config").write_text("\n".join(lines) + "\n", encoding="utf-8")
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(
                [program, "-D", "-e", "-f", str(directory / "config")], stderr=log, stdin=subprocess.DEVNULL
            )
        server = Sshd(directory, port, process, host_key)
        try:
            _wait_until_it_answers(server)
            yield server
        finally:
            for pid in server.signal(signal.SIGCONT):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.kill()
            process.wait()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def free_port() -> int:
    """Return a port that is free now, below those that outgoing connections take."""
    for port in range(20000 + os.getpid() % 9000, 32000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")


def _wait_until_it_answers(server: Sshd) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 5) as probe:
            if probe.recv(4) == b"SSH-":
                return
        assert server.process.poll() is None, server.log()
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.02)


@dataclass(frozen=True)
class Account:
    """A user on the server, and the home that a session of his gets."""

    name: str
    home: Path
    uid: int

    def processes(self) -> list[str]:
        """Return the command lines of what runs in his home, or (of a second user) as he, but for zombies."""
        return [words for words in self._found().values() if not words.startswith("sshd")]

    def end(self) -> None:
        """Kill what of that is left."""
        for pid in self._found():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _found(self) -> dict[int, str]:
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                theirs = process.stat().st_uid == self.uid and self.uid != os.getuid()
                words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if words and (theirs or (process / "cwd").readlink().is_relative_to(self.home)):
                    found[int(process.name)] = words
        return found


@contextlib.contextmanager
def account(name: str, base: Path) -> Iterator[Account]:
    """Yield a second account where we may make one, else our own with another home; both need odd paths."""
    home = base / "家 of a user"
    home.mkdir(mode=0o755)
    if os.getuid() != 0 or not shutil.which("useradd"):
        user = pwd.getpwuid(os.getuid())
        yield Account(user.pw_name, home, user.pw_uid)
        return
    # `*` is no password, and still no locked account, which sshd would refuse.
    subprocess.run(["useradd", "-d", str(home), "-s", "/bin/sh", "-p", "*", name], check=True, timeout=60)
    try:
        user = pwd.getpwnam(name)
        os.chown(home, user.pw_uid, user.pw_gid)
        made = Account(name, home, user.pw_uid)
        yield made
        made.end()  # a user of whom something runs is not removed
    finally:
        subprocess.run(["userdel", name], check=False, timeout=60, capture_output=True)
