"""What this machine has: a container engine that works, which of its flags exist, which ports are free."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubetour.checks import Result
from kubetour.errors import EngineError, ResourceError, ToolError
from kubetour.runner import TIMED_OUT, perform
from kubetour.steps import Run

if TYPE_CHECKING:
    from invoke.context import Context

PATIENCE = 5.0  # seconds for a probe: a hanging daemon must not hang us
TRIES = 200  # ports to try


@dataclass(frozen=True)
class Engine:
    """A container engine. `trouble` is empty, or the key of the error that says why it cannot be used."""

    name: str
    trouble: str = ""
    version: str = ""
    evidence: str = ""

    def require(self) -> Engine:
        """Return it if it works, else raise why not."""
        if self.trouble == "engine-absent":
            raise ToolError(self.trouble, engine=self.name)
        if self.trouble:
            raise EngineError(self.trouble, evidence=self.evidence, program=self.name, command=self.name)
        return self


def engine(c: Context, name: str = "docker") -> Engine:
    """Return what `NAME version` says: a client without a daemon is not an engine."""
    result = perform(c, Run((name, "version", "--format", "{{.Server.Version}}")), timeout=PATIENCE)
    return judge_engine(name, result)


def judge_engine(name: str, result: Result) -> Engine:
    """Return the verdict on what `version` printed."""
    said = result.stderr.strip()
    version = result.stdout.strip()
    if result.status == 127:
        return Engine(name, "engine-absent")
    if result.status == TIMED_OUT:
        return Engine(name, "engine-hangs", evidence=said)
    if re.search(r"permission denied", said, re.IGNORECASE):
        return Engine(name, "engine-permission", evidence=said)
    if result.status != 0 or not re.match(r"\d", version):
        return Engine(name, "engine-daemon", evidence=said)
    return Engine(name, version=version)


@dataclass(frozen=True)
class Abilities:
    """What depends on the engine's version and settings."""

    build_flags: tuple[str, ...]
    save_flags: tuple[str, ...]
    containerd_store: bool


def abilities(c: Context, name: str) -> Abilities:
    """Return which flags this engine knows, asked of its own help; none is assumed."""

    def ask(*argv: str) -> str:
        return perform(c, Run((name, *argv)), timeout=PATIENCE).stdout

    build, save = ask("build", "--help"), ask("image", "save", "--help")
    store = ask("info", "--format", "{{json .DriverStatus}}")
    return judge_abilities(build, save, store, ask("version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"))


def judge_abilities(build: str, save: str, store: str, platform: str) -> Abilities:
    """Return the abilities that the texts show.

    Attestations make an image index with an entry of no platform, which some loaders cannot take:
    https://docs.docker.com/build/metadata/attestations/
    """
    flags = tuple(f"--{flag}=false" for flag in ("provenance", "sbom") if f"--{flag}" in build)
    saves = ("--platform", platform.strip()) if "--platform" in save and platform.strip() else ()
    return Abilities(flags, saves, "io.containerd.snapshotter" in store)


def free_port(wanted: int, taken: tuple[int, ...] = ()) -> int:
    """Return the first port from `wanted` on that nothing listens on, on this machine's loopback.

    ResourceError if there is none near it.
    """
    last = min(wanted + TRIES - 1, 65535)
    for port in range(wanted, last + 1):
        if port not in taken and _is_free(port):
            return port
    raise ResourceError("ports-busy", first=wanted, last=last)


def _is_free(port: int) -> bool:
    for host in ("127.0.0.1", "0.0.0.0"):  # noqa: S104  (asked, not kept)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True
