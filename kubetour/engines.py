"""The container engines: which of them works here, and which flags it knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubetour.checks import Result
from kubetour.errors import EngineError, ToolError
from kubetour.runner import TIMED_OUT, perform
from kubetour.steps import Run

if TYPE_CHECKING:
    from invoke.context import Context

DRIVERS = ("docker", "podman")  # the engines that are drivers of minikube, too
PATIENCE = 5.0  # seconds for a probe: a hanging daemon must not hang us

# The question that only an engine answers whose daemon, machine or storage works; in the order of preference.
QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "docker": ("version", "--format", "{{.Server.Version}}"),
    "podman": ("info", "--format", "{{.Version.Version}}"),
    "nerdctl": ("info", "--format", "{{.ServerVersion}}"),
}

# How to get everything that `info` knows as JSON.
JSON: Mapping[str, str] = {"docker": "{{json .}}", "podman": "json", "nerdctl": "{{json .}}"}


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


def engine(c: Context, name: str) -> Engine:
    """Return what an engine says of itself: a client without a daemon is not an engine."""
    return judge_engine(name, perform(c, Run((name, *QUESTIONS[name])), timeout=PATIENCE))


def find(c: Context, wanted: str) -> Engine:
    """Return the engine of that name; for `auto` the first that works, else the first that is there."""
    names = tuple(QUESTIONS) if wanted == "auto" else (wanted,)
    broken: list[Engine] = []
    for name in names:
        found = engine(c, name)
        if not found.trouble:
            return found
        broken.append(found)
    return next((found for found in broken if found.trouble != "engine-absent"), broken[0])


def judge_engine(name: str, result: Result) -> Engine:
    """Return the verdict on what it answered."""
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
    cgroup: int = 0  # the version of cgroups that its machine has; 0: it did not say


def abilities(c: Context, name: str) -> Abilities:
    """Return which flags this engine knows, asked of its own help; none is assumed."""

    def ask(*argv: str) -> str:
        return perform(c, Run((name, *argv)), timeout=PATIENCE).stdout

    build, save = ask("build", "--help"), ask("image", "save", "--help")
    store = ask("info", "--format", "{{json .DriverStatus}}")
    platform = ask("version", "--format", "{{.Server.Os}}/{{.Server.Arch}}")
    return judge_abilities(build, save, store, platform, ask("info", "--format", JSON[name]))


def judge_abilities(build: str, save: str, store: str, platform: str, info: str = "") -> Abilities:
    """Return the abilities that the texts show.

    Attestations make an image index with an entry of no platform, which some loaders cannot take:
    https://docs.docker.com/build/metadata/attestations/
    """
    flags = tuple(f"--{flag}=false" for flag in ("provenance", "sbom") if f"--{flag}" in build)
    saves = ("--platform", platform.strip()) if "--platform" in save and platform.strip() else ()
    cgroup = re.search(r'"cgroupVersion":\s*"v?(\d)"', info, re.IGNORECASE)  # Docker says "2", podman "v2"
    return Abilities(flags, saves, "io.containerd.snapshotter" in store, int(cgroup[1]) if cgroup else 0)
