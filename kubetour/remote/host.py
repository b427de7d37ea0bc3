"""Another host that the commands run on."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import socket
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import paramiko

from kubetour.buildcontext import BuildContext
from kubetour.causes import command_failed
from kubetour.errors import HostError, RefusedError, ToolError
from kubetour.host import Host
from kubetour.kubeconfig import Kubeconfig
from kubetour.pins import system_named
from kubetour.ports import first_free
from kubetour.project import ROOT, STATE
from kubetour.proofs.common import human_size
from kubetour.providers import Provider
from kubetour.remote import listening, programs, shipping
from kubetour.remote.connection import connection
from kubetour.remote.far import FarCluster
from kubetour.runner import perform
from kubetour.script import shell
from kubetour.state import State
from kubetour.steps import Run
from kubetour.text import Text
from kubetour.tools import Say, Tool

if TYPE_CHECKING:
    from invoke.context import Context

MARK = ".kubetour-host"  # a directory there without it is not ours: it is neither used nor removed
MANIFEST = f"{STATE}/shipped.json"
ARCHIVE = f"{STATE}/shipped.tar.gz"
SECRET = f"{STATE}/pull-secret.json"
PYTHON = ".venv/bin/python"

# Where one logs in: the directory's path, what is at it, and the system. The last four lines, as a login
# may say something of its own.
LOOK = """\
directory="${XDG_CACHE_HOME:-$HOME/.cache}/kubetour/$1"
if [ -f "$directory/$2" ]; then echo ours
elif [ -e "$directory" ] || [ -L "$directory" ]; then echo foreign
else echo absent
fi
(cd -- "$directory" 2>/dev/null && pwd -P) || printf '%s\\n' "$directory"
uname -s
uname -m"""
# `-m` goes for the last directory alone.
ENTER = 'mkdir -p -- "$(dirname -- "$1")" && mkdir -m 700 -- "$1" && : >"$1/$2"'
LEAVE = """\
[ -f "$1/$2" ] && rm -rf -- "$1"
rmdir -- "$(dirname -- "$1")" 2>/dev/null
[ ! -e "$1" ]"""


class RemoteHost(Host):
    """A host that is reached by SSH. Everything of ours there lies in one directory of its user's cache."""

    def __init__(self, c: Context, name: str) -> None:
        self.name = name
        self.c = connection(name, c)
        self._at = ""
        self._system = ""
        self._is_there = False
        self._bring: dict[str, Path] = {}
        self._prepared = False
        self._far: list[FarCluster] = []

    def close(self) -> None:
        """Close tunnels and the connection."""
        for far in self._far:
            far.close()
        self.c.close()

    # --- what is there

    def context(self, c: Context) -> Context:
        """Return the connection, after a first look at what is there. It changes nothing."""
        if not self._at:
            self.c.open()
            self._look()
        return self.c

    def _look(self) -> None:
        name = directory_name(ROOT, socket.gethostname())
        asked = self._ask("sh", "-c", LOOK, "sh", name, MARK)
        what, self._at, system, processor = asked.splitlines()[-4:]
        self._system = system_named(system, processor)
        if what == "foreign":
            raise RefusedError("host-directory", host=self.name, directory=self._at)
        self._is_there = what == "ours"
        if self._is_there:
            self.c.work_in(self._at)

    @property
    def root(self) -> str:
        """Return the project's directory there."""
        return self._at

    @property
    def system(self) -> str:
        """Return its system and processor."""
        return self._system

    def kubectl(self, offline: bool, say: Say) -> str:
        """Return how to call kubectl there."""
        return self._program("kubectl", offline, say).path

    def kind(self, offline: bool, say: Say) -> Tool:
        """Return the kind that is called there."""
        return self._program("kind", offline, say)

    def minikube(self, offline: bool, say: Say) -> str:
        """Return how to call minikube there."""
        return self._program("minikube", offline, say).path

    @property
    def is_root(self) -> bool:
        """Return whether one logs in as root."""
        return self._ask("id", "-u").strip() == "0"

    def _program(self, name: str, offline: bool, say: Say) -> Tool:
        found = programs.find(self.c, name, self._system, offline, say, self.name)
        if found.file:
            self._bring[found.call] = found.file
        return Tool(found.call, found.version)

    def curl(self) -> bool:
        """Return whether there is a curl there."""
        return perform(self.c, Run(("command", "-v", "curl"))).status == 0

    def python(self) -> str:
        """Return how the project's Python is called there: the one of the environment that `inv` makes."""
        return PYTHON

    def bare_python(self) -> str:
        """Return how to call a Python there that can run programs of ours, or "" if there is none."""
        enough = Run(("python3", "-c", "import sys; sys.exit(sys.version_info < (3, 9))"))
        return "python3" if perform(self.c, enough).status == 0 else ""

    def free_port(self, wanted: int, taken: tuple[int, ...] = ()) -> int:
        """Return the first port from `wanted` on that nothing listens on there."""
        busy = listening.listening(perform(self.c, listening.ASK).stdout) | set(taken)
        return first_free(wanted, lambda port: port not in busy)

    # --- what is brought there

    def placed(self, context: BuildContext) -> BuildContext:
        """Return the build context at its place there."""
        self._context_here = ROOT / context.directory
        there = shipping.directory_there(context.directory)
        return replace(context, directory=there)

    def brought(self, path: str) -> str:
        """Return a file's place there, to which it will be brought: a pull secret's, as there is no other."""
        self._bring[SECRET] = ROOT / path
        return SECRET

    def prepare(self, provider: Provider, context: BuildContext, offline: bool, say: Say) -> None:
        """Make the directory, ship what changed, and have the Python environment made where it is needed."""
        if self._prepared:
            return
        self._prepared = True
        if not self._is_there:
            self._ask("sh", "-c", ENTER, "sh", self._at, MARK)
            self._is_there = True
            self.c.work_in(self._at)
        needs_python = PYTHON in (provider.tools.python, *provider.tools.curl) and (
            provider.name == "embedded" or PYTHON in provider.tools.curl
        )
        cargo: dict[str, shipping.Cargo] = {
            "context": shipping.context_files(context, self._context_here),
            **{f"file {name}": {name: path} for name, path in self._bring.items()},
        }
        if provider.tools.bare_python:
            cargo["programs"] = shipping.program_files()
        if needs_python:
            cargo["package"] = shipping.package_files()
        shipped = self._ship(cargo, say)
        if needs_python and (shipped.intersection(shipping.LOCKS) or not self._has(".venv/inv-key")):
            self._make_environment(offline, say)

    def _ship(self, cargo: Mapping[str, shipping.Cargo], say: Say) -> set[str]:
        """Bring there what changed, remove what is not wanted any more, and return what was brought."""
        kept = perform(self.c, Run(("sh", "-c", f"mkdir -p {STATE} && cat {MANIFEST}")))
        wanted = {title: shipping.hashes(part) for title, part in cargo.items()}
        todo = shipping.changes(wanted, shipping.read_manifest(kept.stdout))
        if not todo:
            return set()
        files = {name: path for part in cargo.values() for name, path in part.items()}
        with tempfile.TemporaryFile() as file, self._sftp() as sftp:
            shipping.pack(files, todo.changed, file)
            values = {"count": len(todo.changed), "size": human_size(file.tell()), "host": self.name}
            say(Text("host.shipping", values))
            for name in todo.removed:
                with contextlib.suppress(FileNotFoundError):
                    sftp.remove(os.fsencode(f"{self._at}/{name}"))
            file.seek(0)
            sftp.putfo(file, f"{self._at}/{ARCHIVE}")
            self._ask("tar", "-xzpf", ARCHIVE)
            with sftp.open(f"{self._at}/{MANIFEST}", "w") as manifest:
                manifest.write(shipping.write_manifest(todo.then))
            sftp.remove(f"{self._at}/{ARCHIVE}")
        return set(todo.changed)

    @contextlib.contextmanager
    def _sftp(self) -> Iterator[paramiko.SFTPClient]:
        """Yield an SFTP client; HostError for whatever goes wrong with it."""
        try:
            with self.c.client.open_sftp() as sftp:
                yield sftp
        except (paramiko.SSHException, EOFError, OSError) as error:
            key = "host-transfer" if self.c.is_connected else "host-lost"
            raise HostError(key, host=self.name, evidence=str(error), directory=self._at) from error

    def _make_environment(self, offline: bool, say: Say) -> None:
        say(Text("host.environment", {"host": self.name}))
        switch = ("env", "KUBETOUR_OFFLINE=1") if offline else ()
        made = perform(self.c, Run((*switch, "./inv", "--version")))
        if made.status != 0:
            raise ToolError("host-environment", evidence=made.stderr.strip(), host=self.name)

    # --- the cluster, from here

    def kubeconfig(self, provider: Provider) -> Kubeconfig:
        """Return the kubeconfig there, as it works from here: it opens a tunnel with the first look."""
        far = FarCluster(self.c, provider, State(ROOT / STATE, self.name))
        self._far.append(far)
        return far

    def by_hand(self, kubeconfig: str) -> str:
        """Return the line to type for going on by hand."""
        there = f'cd -- {shlex.quote(self._at)} && export KUBECONFIG="$PWD/{kubeconfig}" && exec "$SHELL"'
        return f"{self.c.address.ssh('-t')} {shlex.quote(there)}"

    # --- the end

    def has_nothing(self, provider: Provider) -> bool:
        """Return whether nothing can be there: an embedded cluster lies in the directory."""
        return not self._is_there and provider.name == "embedded"

    def leave(self, state: State, say: Say) -> None:
        """Remove the directory there, and prove that it is gone; but not while something in it is needed."""
        if state.created():
            return
        if not self._is_there:
            return
        self.c.work_in("")
        self._ask("sh", "-c", LEAVE, "sh", self._at, MARK)
        self._is_there = False
        say(Text("host.left", {"host": self.name, "directory": self._at}))

    def _ask(self, *argv: str) -> str:
        """Return what a command there prints; KubetourError if it fails."""
        run = Run(argv)
        result = perform(self.c, run)
        if result.status != 0:
            raise command_failed(shell(run), argv[0], result)
        return result.stdout

    def _has(self, path: str) -> bool:
        return perform(self.c, Run(("test", "-e", path))).status == 0


def directory_name(root: Path, machine: str) -> str:
    """Return the name of a checkout's directory there: its name, and a hash of where it is."""
    digest = hashlib.sha256(f"{machine}\0{root}".encode()).hexdigest()[:12]
    name = re.sub(r"[^\w.-]", "_", root.name)
    return f"{name}-{digest}"
