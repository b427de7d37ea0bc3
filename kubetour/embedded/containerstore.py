"""The containers of `run`, as the commands see them: each has a shim process that keeps its state on disk."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kubetour.embedded import container as containers
from kubetour.embedded.container import EXITED, Container, ContainerSpec, end_leftovers, still_runs
from kubetour.embedded.containerlog import rfc3339_nano
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.imagestore import Image, ImageStore
from kubetour.embedded.listening import can_bind
from kubetour.embedded.paths import locked, private_directory
from kubetour.embedded.process import signal_group, start_detached

_TICK = 0.02  # seconds between two looks at another process's state file
_SHIM_PATIENCE = 5.0  # seconds for a shim to write down what it has seen


@dataclass(frozen=True)
class PortMapping:
    """`-p [IP:]HOST:CONTAINER`: a port of the container, and where on this machine it is reached."""

    address: str
    host: int
    container: int


@dataclass(frozen=True)
class RunOptions:
    """What `run` was given beside the image."""

    name: str
    auto_remove: bool = False
    ports: tuple[PortMapping, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    args: list[str] | None = None
    entrypoint: str | None = None


class ContainerStore:
    """The containers below one state directory. `now` and `sleep` are the clock, for tests."""

    def __init__(
        self,
        root: Path,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.root = root
        self.directory = root / "containers"
        self._now, self._sleep = now, sleep

    def all(self) -> list[Container]:
        """Return every container, the newest first."""
        found = []
        for path in self.directory.glob("*/state.json"):
            try:
                found.append(self._settled(containers.load(path.parent)))
            except EmbeddedError:
                continue  # being removed at this moment
        return sorted(found, key=lambda container: container.created_at, reverse=True)

    def get(self, text: str) -> Container:
        """Return the container of that name or ID, which may be cut short; EmbeddedError if there is none."""
        everything = self.all()
        for container in everything:
            if text in (container.name, container.id):
                return container
        fits = [container for container in everything if text and container.id.startswith(text)]
        if len(fits) == 1:
            return fits[0]
        why = "the beginning of several containers' IDs" if fits else "no such container"
        raise EmbeddedError(f"{why}: {text}; `ps -a` lists them")

    def run(self, image: Image, name_of_image: str, options: RunOptions) -> Container:
        """Start a container in the background and return it once its program runs.

        EmbeddedError if its name or port is taken, or its program does not start.
        """
        private_directory(self.directory)
        with locked(self.directory / ".lock"):
            for other in self.all():
                if other.name == options.name:
                    raise EmbeddedError(
                        f"the container name {options.name!r} is in use by {other.id[:12]}; "
                        f"remove that one (`rm -f {options.name}`) or choose another name"
                    )
            identity = containers.new_id()
            spec = self._spec(identity, image, name_of_image, options)
            container = containers.prepare(
                spec, image, ImageStore(self.root / "images"), self.directory / identity, identity
            )
        try:
            self._start(container)
        except BaseException:
            shutil.rmtree(self.directory / identity, ignore_errors=True)
            raise
        return container

    def stop(self, container: Container, grace: float) -> None:
        """Ask a container to end, kill it after `grace` seconds, and return when that is on record."""
        deadline = self._now() + grace
        if still_runs(container):
            signal_group(container.pid, container.stop_signal_number)
        while still_runs(container) and self._now() < deadline:
            self._sleep(_TICK)
        if still_runs(container):
            signal_group(container.pid, signal.SIGKILL)
        deadline = self._now() + _SHIM_PATIENCE
        while self._unsettled(container) and self._now() < deadline:
            self._sleep(_TICK)

    def remove(self, container: Container) -> None:
        """Remove a container, which is killed if it runs."""
        if still_runs(container):
            self.stop(container, 0)
        end_leftovers([container])
        shutil.rmtree(self.directory / container.id, ignore_errors=True)

    # --- helpers

    def _unsettled(self, container: Container) -> bool:
        """Return whether its shim has yet to write its end down, or to remove it."""
        try:
            found = containers.load(self.directory / container.id)
        except EmbeddedError:
            return False
        return found.state != EXITED or bool(found.annotations.get("auto-remove"))

    def _settled(self, container: Container) -> Container:
        """Return the container as it is: one whose shim was killed ended unseen."""
        if container.state == containers.RUNNING and not still_runs(container):
            container.lost(rfc3339_nano(time.time_ns()))
        return container

    def _spec(self, identity: str, image: Image, name_of_image: str, options: RunOptions) -> ContainerSpec:
        exposed = [
            int(port.partition("/")[0]) for port in (image.config.get("config") or {}).get("ExposedPorts", {})
        ]
        host, port = _listen(options, identity, exposed)
        return ContainerSpec(
            name=options.name,
            image=name_of_image,
            hostname=identity[:12],
            host=host,
            port=port,
            environment=options.environment,
            command=None if options.entrypoint is None else [options.entrypoint],
            args=options.args,
            labels=options.labels,
            annotations={
                "auto-remove": options.auto_remove,
                "address": host,
                "port": port,
                "ports": [[m.address, m.host, m.container] for m in options.ports],
            },
        )

    def _start(self, container: Container) -> None:
        reading, writing = os.pipe()
        argv = [sys.executable, "-m", "kubetour.embedded", "shim", str(self.root), container.id, str(writing)]
        with open(reading, encoding="utf-8") as report:
            with (self.directory / container.id / "shim.log").open("wb") as log:
                try:
                    start_detached(argv, log, root=self.root, pass_fds=(writing,))
                finally:
                    os.close(writing)
            said = report.read()
        if said != containers.STARTED:
            trace = (self.directory / container.id / "shim.log").read_text(errors="replace").strip()
            raise EmbeddedError(said or f"the container's shim process ended at once: {trace[-500:]}")


def _listen(options: RunOptions, identity: str, exposed: list[int]) -> tuple[str, int]:
    """Return the address and port the container's program is told to listen on.

    With a published port it listens there itself; else on an address of its own, where the machine has them.
    """
    for mapping in options.ports[1:]:
        if mapping.host != mapping.container:
            raise EmbeddedError(
                f"-p {mapping.host}:{mapping.container}: only one port can be moved: a container's program "
                f"listens on this machine itself; publish the others under their own number"
            )
    if options.ports:
        first = options.ports[0]
        for mapping in options.ports:
            _check_free(mapping)
        return first.address, first.host
    number = int(identity[:4], 16) % 64516
    own = f"127.63.{number // 254}.{number % 254 + 1}"
    address = own if can_bind(own, 0) else "127.0.0.1"
    return address, exposed[0] if exposed and can_bind(address, exposed[0]) else 0


def _check_free(mapping: PortMapping) -> None:
    if not can_bind(mapping.address, mapping.host):
        raise EmbeddedError(
            f"Bind for {mapping.address}:{mapping.host} failed: port is already allocated; "
            f"stop what listens there, or publish another port with -p"
        )
