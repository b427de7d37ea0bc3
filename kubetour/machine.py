"""What this machine is: plain facts, gathered once; `traps` judges them, `doctor` prints them."""

from __future__ import annotations

import locale
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kubetour import tools
from kubetour.ask import ask
from kubetour.daemons import Daemon, daemon
from kubetour.dialects import DIALECTS
from kubetour.pins import pin, this_system
from kubetour.project import ROOT, STATE
from kubetour.tools import PATIENCE, Tool

if TYPE_CHECKING:
    from invoke.context import Context


@dataclass(frozen=True)
class Host:
    """The machine itself. Sizes are in bytes; 0 and "" stand for what is not known or does not apply."""

    system: str = "Linux"
    release: str = ""
    processor: str = "amd64"  # as releases of Kubernetes name it
    python: str = ""
    cpus: int = 0
    memory: int = 0
    available: int = 0  # of the memory
    disk: int = 0  # free where the project is
    cgroup: int = 0
    instances: int = 0  # of inotify, for each user
    watches: int = 0  # of inotify, for each user
    wsl: int = 0  # 1 or 2 under the Windows Subsystem for Linux
    project: str = ""
    unwritable: str = ""  # why nothing can be kept in the project
    proxy: str = ""
    no_proxy: str = ""
    kubeconfig: str = ""  # where there should be a kubeconfig of the user's, and is none
    encoding: str = "utf-8"  # of what is printed

    @property
    def speaks_unicode(self) -> bool:
        """Return whether every character can be printed."""
        return self.encoding.lower().startswith("utf")


@dataclass(frozen=True)
class Program:
    """A program: the one that is used, if there is any, and why others on PATH are passed over."""

    found: Tool | None = None
    passed_over: tuple[str, ...] = ()


@dataclass(frozen=True)
class Machine:
    """Everything that was found. `daemons` are the container engines on PATH, in the order of preference."""

    host: Host = field(default_factory=Host)
    daemons: tuple[Daemon, ...] = ()
    kubectl: Program = field(default_factory=Program)
    kind: Program = field(default_factory=Program)
    minikube: Program = field(default_factory=Program)
    node: Program = field(default_factory=Program)
    curl: Program = field(default_factory=Program)


def gather(c: Context) -> Machine:
    """Return what is here. Nothing is downloaded, and no program is waited for longer than some seconds."""
    place = tools.here(offline=True)
    names = [name for name in DIALECTS if shutil.which(name)]
    with ThreadPoolExecutor() as pool, ExitStack() as ending:
        ending.callback(pool.shutdown, wait=False, cancel_futures=True)  # after Ctrl-C, nothing more is asked
        daemons = [pool.submit(daemon, c, name) for name in names]
        wanted = map(pin, ("kubectl", "kind", "minikube"))
        kubectl, kind, minikube = (pool.submit(tools.present, each, place) for each in wanted)
        node, curl = (pool.submit(first, path) for path in (tools.find_node(), tools.find_curl()))
        return Machine(
            host(os.environ),
            tuple(found.result() for found in daemons),
            _program(*kubectl.result()),
            _program(*kind.result()),
            _program(*minikube.result()),
            node.result(),
            curl.result(),
        )


def host(environ: Mapping[str, str]) -> Host:
    """Return the facts of the machine that need no program."""
    release = platform.release()
    proxy = partial(_either, environ)
    return Host(
        system=platform.system(),
        release=release,
        processor=this_system().partition("/")[2],
        python=platform.python_version(),
        cpus=os.cpu_count() or 0,
        memory=_memory(),
        available=number(Path("/proc/meminfo"), "MemAvailable:") * 1024,
        disk=shutil.disk_usage(ROOT).free,
        cgroup=cgroup_version(Path("/sys/fs/cgroup")),
        instances=number(Path("/proc/sys/fs/inotify/max_user_instances")),
        watches=number(Path("/proc/sys/fs/inotify/max_user_watches")),
        wsl=wsl_version(release),
        project=str(ROOT),
        unwritable=unwritable(ROOT / STATE),
        proxy=without_password(proxy("https_proxy") or proxy("http_proxy") or proxy("all_proxy")),
        no_proxy=proxy("no_proxy"),
        kubeconfig=missing_kubeconfig(environ),
        encoding=sys.stdout.encoding or locale.getpreferredencoding(False),
    )


def cgroup_version(mount: Path) -> int:
    """Return 2 where cgroup v2 is what is mounted, else 1; 0 where there is none.

    https://kubernetes.io/docs/concepts/architecture/cgroups/#check-cgroup-version
    """
    if (mount / "cgroup.controllers").exists():
        return 2
    with suppress(OSError):
        return 1 if any(mount.iterdir()) else 0
    return 0


def wsl_version(release: str) -> int:
    """Return 1 or 2 for the kernel release of a Windows Subsystem for Linux, else 0.

    https://learn.microsoft.com/windows/wsl/compare-versions: only WSL 2 has a Linux kernel, whose release
    ends in -microsoft-standard-WSL2; WSL 1 says 4.4.0-19041-Microsoft.
    """
    if "microsoft" not in release.lower():
        return 0
    return 1 if release.endswith("-Microsoft") else 2


def unwritable(directory: Path) -> str:
    """Return why no file can be made in a directory that is there or would be made, or ""."""
    try:
        with tempfile.TemporaryFile(dir=directory if directory.exists() else directory.parent):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def missing_kubeconfig(environ: Mapping[str, str]) -> str:
    """Return what should be the user's kubeconfig, if no file is there; else "".

    https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
    """
    named = environ.get("KUBECONFIG", "")
    paths = [path for path in named.split(os.pathsep) if path] or ["~/.kube/config"]
    return "" if any(Path(path).expanduser().exists() for path in paths) else named or paths[0]


def without_password(url: str) -> str:
    """Return a URL without the user and password before its host."""
    return re.sub(r"(?<=//)[^/]*@", "", url)


def _program(found: Tool | None, passed_over: list[str]) -> Program:
    where = found and Tool(shutil.which(found.path) or found.path, found.version)
    return Program(where, tuple(passed_over))


def first(path: str | None) -> Program:
    """Return the facts of a program that is called whether it works or not: the first of its name."""
    if path is None:
        return Program()
    reply = ask((path, "--version"), PATIENCE)
    version = re.search(r"\d+(\.\d+)+", reply.output)
    if reply.trouble or not version:
        return Program(None, (f"{path}: {reply.trouble or 'tells no version'}",))
    return Program(Tool(path, version[0]))


def _either(environ: Mapping[str, str], name: str) -> str:
    """Return a variable that programs know in both cases."""
    return environ.get(name) or environ.get(name.upper()) or ""


def _memory() -> int:
    with suppress(ValueError, OSError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 0


def number(path: Path, label: str = "") -> int:
    """Return the number in a file, or that of the line that begins with a label; 0 if there is none."""
    with suppress(OSError, ValueError, IndexError):
        for line in path.read_text(encoding="ascii").splitlines():
            if line.startswith(label):
                return int(line.removeprefix(label).split()[0])
    return 0
