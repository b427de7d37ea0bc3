"""The engines of these tests: a real Docker, a real podman, and the stand-in for nerdctl.

podman has its storage, networks and settings in a directory of the test's own.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

STANDINS = Path(__file__).resolve().parent.parent / "standins"
Done = subprocess.CompletedProcess[str]
CONTAINERS = """\
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc={processes}:{processes}"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
tmp_dir = "{here}/tmp"
{runtime}
[network]
network_config_dir = "{here}/networks"
default_subnet = "10.{octet}.0.0/24"
"""
STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{here}/graph"
runroot = "{here}/run"
"""


@dataclass(frozen=True)
class Engine:
    """An engine: its program, what its images' names begin with, and the environment that it needs."""

    name: str
    program: str
    local: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *argv: str, check: bool = True) -> Done:
        """Run the engine and return what it printed."""
        environment = {**os.environ, **self.environment}
        return subprocess.run(
            [self.program, *argv], capture_output=True, text=True, check=check, timeout=120, env=environment
        )

    def lines(self, *argv: str) -> list[str]:
        """Return the words that the engine prints."""
        return self(*argv).stdout.split()

    def images(self, mark: str) -> list[str]:
        """Return the images that have this word in their names."""
        listed = self.lines("images", "--format", "{{.Repository}}:{{.Tag}}")
        return [name for name in listed if mark in name]

    def left(self, mark: str) -> list[str]:
        """Return the containers and images that have this word in their names."""
        containers = self.lines("ps", "-a", "--format", "{{.Names}}")
        return [*(name for name in containers if mark in name), *self.images(mark)]

    def volumes(self) -> set[str]:
        """Return the volumes that there are."""
        return set(self.lines("volume", "ls", "-q")) if self.name != "nerdctl" else set()


def limit(which: int) -> str:
    """Return a limit for containers in podman's form; not every machine lets it set its own, a million."""
    hard = resource.getrlimit(which)[1]
    return str(4096 if hard == resource.RLIM_INFINITY else min(hard, 4096))


@contextmanager
def podman(here: Path) -> Iterator[Engine]:
    """Yield a real podman with the base image, and with nothing of this machine's own podman."""
    if not shutil.which("podman"):
        if os.environ.get("CI"):
            pytest.fail("CI must have podman")
        pytest.skip("no podman on PATH: apt-get install podman")
    # crun refuses a machine with both versions of cgroups; runc does not.
    runtime = 'runtime = "runc"' if shutil.which("runc") else ""
    limits = {"files": limit(resource.RLIMIT_NOFILE), "processes": limit(resource.RLIMIT_NPROC)}
    octet = 100 + os.getpid() % 100
    (here / "containers.conf").write_text(
        CONTAINERS.format(here=here, runtime=runtime, octet=octet, **limits)
    )
    (here / "storage.conf").write_text(STORAGE.format(here=here))
    (here / "networks").mkdir()
    settings = {
        "CONTAINERS_CONF": str(here / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(here / "storage.conf"),
    }
    made = Engine("podman", "podman", "localhost/", settings)
    subprocess.run(
        [STANDINS / "base-image", "--engine", "podman"],
        check=True,
        capture_output=True,
        timeout=120,
        env={**os.environ, **made.environment},
    )
    try:
        yield made
    finally:
        made("rm", "--all", "--force", "--volumes", check=False)
        made("image", "rm", "--all", "--force", check=False)
        made("network", "rm", "--force", "kind", check=False)


DOCKER = Engine("docker", "docker")
NERDCTL = Engine("nerdctl", str(STANDINS / "nerdctl"))
