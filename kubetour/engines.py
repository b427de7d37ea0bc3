"""The container engines: which of them works here, and which flags it knows."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubetour.checks import TIMED_OUT, Result
from kubetour.dialects import DIALECTS, Dialect, remedies
from kubetour.errors import EngineError, ToolError
from kubetour.runner import perform, perform_all
from kubetour.steps import Run

if TYPE_CHECKING:
    from invoke.context import Context

DRIVERS = ("docker", "podman")  # the engines that are drivers of minikube, too
PATIENCE = 5.0  # seconds for a probe: a hanging daemon must not hang us
KIND_PROVIDER = "KIND_EXPERIMENTAL_PROVIDER"


@dataclass(frozen=True)
class Engine:
    """A container engine. `trouble` is empty, or the key of the error that says why it cannot be used.

    `name` is what the program is called; `dialect` is the engine's own name where that is another one.
    """

    name: str
    trouble: str = ""
    version: str = ""
    evidence: str = ""
    dialect: str = ""

    @property
    def speaks(self) -> Dialect:
        """Return its ways."""
        return DIALECTS[self.dialect or self.name]

    def require(self) -> Engine:
        """Return it if it works, else raise why not."""
        if self.trouble == "engine-absent":
            raise ToolError(self.trouble, engine=self.name, install=self.speaks.install)
        if self.trouble:
            raise EngineError(
                self.trouble,
                evidence=self.evidence,
                program=self.name,
                command=self.name,
                **remedies(self.speaks.name, self.evidence),
            )
        return self


def engine(c: Context, name: str) -> Engine:
    """Return what an engine says of itself: a client without a daemon is not an engine."""
    asked = Run((name, *DIALECTS[name].question))
    if name != "docker":
        return judge_engine(name, perform(c, asked, timeout=PATIENCE))
    # podman-docker and the like put another engine behind that name.
    says, answer = perform_all(c, (Run((name, "--version")), asked), timeout=PATIENCE)
    dialect = judge_dialect(name, says)
    if dialect == name:
        return judge_engine(name, answer)
    asked = Run((name, *DIALECTS[dialect].question))
    return judge_engine(name, perform(c, asked, timeout=PATIENCE), dialect)


def find(c: Context, wanted: str, environ: Mapping[str, str] = os.environ) -> Engine:
    """Return the engine of that name; for `auto` the first that works, else the first that is there.

    For `auto`, the one that kind is told to use comes first.
    """
    names = [wanted]
    if wanted == "auto":
        names = sorted(DIALECTS, key=lambda name: name != environ.get(KIND_PROVIDER))
    broken: list[Engine] = []
    for name in names:
        found = engine(c, name)
        if not found.trouble:
            return found
        broken.append(found)
    return next((found for found in broken if found.trouble != "engine-absent"), broken[0])


def judge_dialect(name: str, result: Result) -> str:
    """Return which engine it is, from what `--version` prints; what says nothing is what its name says."""
    said = result.stdout.lower()
    return next((each.name for each in DIALECTS.values() if said.startswith(each.signature.lower())), name)


def judge_engine(name: str, result: Result, dialect: str = "") -> Engine:
    """Return the verdict on what it answered."""
    said = result.stderr.strip()
    version = result.stdout.strip()
    if result.status == 127:
        return Engine(name, "engine-absent", dialect=dialect)
    if result.status == TIMED_OUT:
        return Engine(name, "engine-hangs", evidence=said, dialect=dialect)
    if re.search(r"permission denied", said, re.IGNORECASE):
        return Engine(name, "engine-permission", evidence=said, dialect=dialect)
    if result.status != 0 or not re.match(r"v?\d", version):
        return Engine(name, "engine-daemon", evidence=said, dialect=dialect)
    return Engine(name, version=version.removeprefix("v"), dialect=dialect)


@dataclass(frozen=True)
class Abilities:
    """What depends on the engine's version and settings."""

    build_flags: tuple[str, ...]
    save_flags: tuple[str, ...]
    containerd_store: bool
    cgroup: int = 0  # the version of cgroups that its machine has; 0: it did not say


def abilities(c: Context, found: Engine) -> Abilities:
    """Return which flags this engine knows, asked of its own help; none is assumed."""

    def ask(*questions: tuple[str, ...]) -> list[str]:
        runs = [Run((found.name, *argv)) for argv in questions]
        return [result.stdout for result in perform_all(c, runs, timeout=PATIENCE)]

    build, save, platform, info = ask(
        ("build", "--help"),
        ("image", "save", "--help"),
        ("version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"),
        ("info", "--format", found.speaks.all_as_json),
    )
    (builder,) = ask(("buildx", "inspect")) if "--load" in build else ("",)
    return judge_abilities(
        found.speaks, build=build, builder=builder, save=save, platform=platform, info=info
    )


def judge_abilities(
    dialect: Dialect,
    *,
    build: str = "",
    builder: str = "",
    save: str = "",
    platform: str = "",
    info: str = "",
) -> Abilities:
    """Return the abilities that the texts show.

    Attestations make an image index with an entry of no platform, which some loaders cannot take:
    https://docs.docker.com/build/metadata/attestations/
    A builder in a container, or elsewhere, keeps what it builds unless it is told to load it:
    https://docs.docker.com/build/builders/drivers/
    """
    flags = tuple(f"--{flag}=false" for flag in dialect.attestations if f"--{flag}" in build)
    driver = re.search(r"(?m)^Driver:\s+(\S+)", builder)
    if driver and driver[1] != "docker":
        flags = (*flags, "--load")
    whole = re.fullmatch(r"\w+/\w+", platform.strip())
    saves = ("--platform", whole[0]) if "--platform" in save and whole else ()
    cgroup = re.search(r'"cgroupVersion":\s*"v?(\d)"', info, re.IGNORECASE)  # Docker says "2", podman "v2"
    return Abilities(flags, saves, _uses_containerd(info), int(cgroup[1]) if cgroup else 0)


def _uses_containerd(info: str) -> bool:
    """Return whether Docker keeps its images in containerd's store, by what `info` says in JSON.

    https://docs.docker.com/engine/storage/containerd/
    """
    try:
        status = json.loads(info).get("DriverStatus")
    except (ValueError, AttributeError):  # an engine that says something else
        return False
    return "io.containerd.snapshotter" in json.dumps(status)
