"""One container: what it is made from, what became of it, and its directory on disk.

DIR/state.json   everything here, written at every change: it outlives the process that manages it
DIR/rootfs/      the image's files, a copy of the container's own
DIR/log          what it printed, unless the spec names another place
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubetour.embedded.base import find_node, find_program
from kubetour.embedded.containerlog import rfc3339_nano
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.imagestore import Image, ImageStore
from kubetour.embedded.paths import private_directory, write_json
from kubetour.embedded.process import ProcessIdentity, is_alive, kill_marked, marked
from kubetour.embedded.signals import signal_number

CREATED, RUNNING, EXITED = "created", "running", "exited"
MARK = "KUBETOUR_CONTAINER"  # in the environment of every process of a container: it is ours
STARTED = "started"  # what a shim reports
START_ERROR = 128  # containerd's exit code for a container whose program could not be started
_LATER = 255  # containerd's exit code for a container whose end nobody saw


@dataclass
class Container:
    """What is known of a container. Times are RFC 3339 with nanoseconds, "" before they come."""

    id: str
    name: str
    image: str
    image_id: str
    argv: list[str]
    environment: dict[str, str]
    directory: str
    log: str
    stop_signal: str = "SIGTERM"
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, Any] = field(default_factory=dict)
    state: str = CREATED
    created_at: str = ""
    started_at: str = ""
    finished_at: str = ""
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    pid: int = 0
    process_started: str = ""
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False

    @property
    def process(self) -> ProcessIdentity | None:
        """Return its process's identity, or None before it had one."""
        return ProcessIdentity(self.pid, self.process_started) if self.pid else None

    @property
    def stop_signal_number(self) -> int:
        """Return the signal that asks it to end."""
        return signal_number(self.stop_signal) or 15

    def ended(self, code: int, at: str, reason: str = "", message: str = "") -> None:
        """Note its end."""
        self.state, self.exit_code, self.finished_at = EXITED, code, at
        self.reason = reason or ("Completed" if code == 0 else "Error")
        self.message = message

    def lost(self, at: str) -> None:
        """Note that it ended while nobody watched."""
        self.ended(_LATER, at, "Unknown")


def new_id() -> str:
    """Return an ID as container runtimes make them: 64 hexadecimal digits."""
    return os.urandom(32).hex()


def load(directory: Path) -> Container:
    """Return the container kept in a directory; EmbeddedError if there is none that can be read."""
    try:
        return Container(**json.loads((directory / "state.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise EmbeddedError(
            f"the container in {directory} cannot be read: {error}; remove that directory"
        ) from error


def save(container: Container, directory: Path) -> None:
    """Write a container's state."""
    write_json(directory / "state.json", vars(container))


@dataclass(frozen=True)
class ContainerSpec:
    """What a container is to be: the CRI's ContainerConfig, as far as a plain process can follow it.

    `command` and `args` replace the image's entrypoint and command where they are not None.
    """

    name: str
    image: str
    hostname: str
    host: str
    port: int
    environment: Mapping[str, str]
    command: list[str] | None = None
    args: list[str] | None = None
    working_directory: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, Any] = field(default_factory=dict)
    log: str = ""
    mounts: Mapping[str, str] = field(default_factory=dict)  # from paths in the container to the machine's
    stdin: bool = False  # input can be given by who attaches
    stdin_once: bool = False  # which ends when the first one has gone
    tty: bool = False


def prepare(
    spec: ContainerSpec, image: Image, store: ImageStore, directory: Path, identity: str
) -> Container:
    """Return a new container in its new directory, with its own copy of the image's files.

    EmbeddedError where the image names no program to start.
    """
    config = image.config.get("config") or {}
    entrypoint = config.get("Entrypoint") or []
    command = config.get("Cmd") or []
    if spec.command is not None:
        entrypoint, command = spec.command, []
    if spec.args is not None:
        command = spec.args
    if not [*entrypoint, *command]:
        raise EmbeddedError(
            f"the image {spec.image} names no program to start; add an ENTRYPOINT or CMD to its Dockerfile"
        )
    private_directory(directory)
    root = directory / "rootfs"
    shutil.copytree(store.snapshot(image), root, symlinks=True)
    _mount(root, spec.mounts)
    where = spec.working_directory or config.get("WorkingDir") or "/"
    inside = root / os.path.normpath(f"/{where}").lstrip("/")  # above a root there is but the root
    inside.mkdir(parents=True, exist_ok=True)
    container = Container(
        id=identity,
        name=spec.name,
        image=spec.image,
        image_id=image.id,
        argv=[localised(word, root) for word in [*entrypoint, *command]],
        environment=_environment(spec, config.get("Env") or [], root),
        directory=str(inside),
        log=spec.log or str(directory / "log"),
        stop_signal=config.get("StopSignal") or "SIGTERM",
        labels=dict(spec.labels),
        annotations=dict(spec.annotations),
        created_at=rfc3339_nano(time.time_ns()),
        stdin=spec.stdin,
        stdin_once=spec.stdin_once,
        tty=spec.tty,
    )
    container.environment[MARK] = identity
    save(container, directory)
    return container


def _mount(root: Path, mounts: Mapping[str, str]) -> None:
    """Put links to what is mounted into a container's copy of its image, in place of what was there.

    EmbeddedError for a place that is not in the copy: nothing of anybody else's is to be replaced.
    """
    for path, source in mounts.items():
        where = root / os.path.normpath(f"/{path}").lstrip("/")
        if where == root or not where.parent.resolve().is_relative_to(root.resolve()):
            raise EmbeddedError(f"nothing can be mounted at {path}: it is not in the container's directory")
        where.parent.mkdir(parents=True, exist_ok=True)
        if where.is_symlink() or where.is_file():
            where.unlink()
        elif where.exists():
            shutil.rmtree(where)
        where.symlink_to(source)


def localised(word: str, root: Path) -> str:
    """Return an absolute path of the image as this machine has it: a process keeps the machine's root."""
    inside = root / word.lstrip("/")
    return str(inside) if word.startswith("/") and word != "/" and os.path.lexists(inside) else word


def _environment(spec: ContainerSpec, image: list[str], root: Path) -> dict[str, str]:
    """Return the container's whole environment; nothing of this process's own gets into it but PATH."""
    environment = {"HOME": str(root), **dict(item.partition("=")[::2] for item in image)}
    environment.update(HOSTNAME=spec.hostname, HOST=spec.host)
    if spec.tty:
        environment["TERM"] = "xterm"
    if spec.port:
        environment["PORT"] = str(spec.port)
    environment.update(spec.environment)
    own = [localised(part, root) for part in environment.get("PATH", "").split(":") if part]
    node = find_node()
    machine = [str(node.parent)] if node else []
    machine += os.environ.get("PATH", os.defpath).split(":")
    inside = [part for part in own if part.startswith(str(root))]
    environment["PATH"] = ":".join(dict.fromkeys([*machine, *inside, *own]))
    return environment


def program(container: Container) -> list[str]:
    """Return what is started: a program given by a path of the image that is not there is sought on PATH."""
    first, *rest = container.argv
    path = container.environment["PATH"]
    is_there = (
        os.path.exists(first) if first.startswith("/") else "/" in first or shutil.which(first, path=path)
    )
    return [first if is_there else find_program(os.path.basename(first), path) or first, *rest]


def end_leftovers(lost: Iterable[Container]) -> None:
    """Kill what runs of containers whose manager is gone: their own processes, and what ran beside them."""
    found: dict[str, list[int]] | None = None
    for container in lost:
        found = marked(MARK) if found is None else found
        kill_marked(container.process, found.get(container.id, []))


def still_runs(container: Container) -> bool:
    """Return whether a container's process is there, whoever manages it."""
    return container.process is not None and is_alive(container.process)
