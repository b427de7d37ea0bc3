"""A real Docker Engine, the base image, the stand-ins on PATH, and a copy of the project to work in."""

from __future__ import annotations

import contextlib
import os
import random
import shlex
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.copying import copy_project
from tests.docker import engines
from tests.docker.engines import Engine

ROOT = Path(__file__).resolve().parent.parent.parent
STANDINS = ROOT / "tests" / "standins"
BASE = "node:24-alpine"
NODE_IMAGE = "kindest/node:v1.36.2"
KICBASE = "gcr.io/k8s-minikube/kicbase:v0.0.50"
# What a clone has that a task may need. Without tests, which are not part of what runs.

Done = subprocess.CompletedProcess[str]


def docker(*argv: str, check: bool = True) -> Done:
    """Run docker and return what it printed."""
    return subprocess.run(["docker", *argv], capture_output=True, text=True, check=check, timeout=120)


def lines(*argv: str) -> list[str]:
    """Return the lines that docker prints."""
    return docker(*argv).stdout.split()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this directory."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.docker)


def require_engine() -> None:
    """Skip what needs an engine where none answers; fail it in CI."""
    try:
        asked = docker("version", "--format", "{{.Server.Version}}", check=False)
        why = asked.stderr.strip() if asked.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        why = str(error)
    if why and os.environ.get("CI"):
        pytest.fail(f"CI must have a Docker Engine: {why}")
    if why:
        pytest.skip(f"no Docker Engine: {why}")


@pytest.fixture(scope="session", autouse=True)
def engine() -> Iterator[None]:
    """See that an engine answers and the base image is there; take back what this made."""
    require_engine()
    made = [
        image
        for image in (BASE, NODE_IMAGE, KICBASE)
        if docker("image", "inspect", image, check=False).returncode
    ]
    network = "kind" not in lines("network", "ls", "--format", "{{.Name}}")
    subprocess.run([STANDINS / "base-image"], check=True, capture_output=True, timeout=120)
    yield
    # Another session may be using them: then Docker refuses, and the last one removes them.
    for image in made:
        docker("image", "rm", image, check=False)
    if network:
        docker("network", "rm", "kind", check=False)


@pytest.fixture(scope="session")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Return a real podman, which all tests share."""
    with engines.podman(tmp_path_factory.mktemp("podman")) as made:
        yield made


@dataclass(frozen=True)
class Desk:
    """A place to type commands: a directory, an environment, and names that no other test uses."""

    folder: Path
    environment: Mapping[str, str]
    cluster: str
    image: str

    @property
    def mark(self) -> str:
        """Return the word that is in all of its names, and in no others."""
        return self.cluster.removeprefix("t")

    def run(
        self, command: str | Sequence[str], stdin: str = "", timeout: float = 120, **environment: str
    ) -> Done:
        """Run one command, of a shell where it is a text."""
        argv = ["sh", "-euc", command] if isinstance(command, str) else command
        return subprocess.run(
            argv,
            cwd=self.folder,
            env={**self.environment, **environment},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )

    def nodes(self) -> list[str]:
        """Return the cluster's containers."""
        mark = f"label=io.x-k8s.kind.cluster={self.cluster}"
        return lines("ps", "-a", "--filter", mark, "--format", "{{.Names}}")

    def machines(self) -> list[str]:
        """Return the containers of the minikube profile of that name, the first node's first."""
        name = f"name=^{self.cluster}(-m[0-9]+)?$"
        return sorted(lines("ps", "-a", "--filter", name, "--format", "{{.Names}}"))

    def volumes(self) -> list[str]:
        """Return the volumes that the cluster's containers use."""
        shown = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}'
        return sorted(
            {
                name
                for node in (*self.nodes(), *self.machines())
                for name in lines("inspect", "-f", shown, node)
            }
        )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Return a desk in a folder of its own; afterwards nothing of its names may be left."""
    mark = uuid.uuid4().hex[:8]
    environment = {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("KIND_", "KUBETOUR_", "KUBE", "MINIKUBE_"))
        },
        "PATH": f"{STANDINS}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path / "home"),
        "KIND_STANDIN_PYTHON": sys.executable,
        "NERDCTL_STANDIN_PYTHON": sys.executable,
    }
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    here = Desk(tmp_path / "work", environment, f"t{mark}", f"kubetour-test-{mark}")
    yield here
    left = [*here.nodes(), *here.machines(), *lines("ps", "-aq", "--filter", f"ancestor={here.image}")]
    images = lines("images", "-q", here.image)
    for name in left:
        docker("rm", "-f", "-v", name, check=False)
    for name in dict.fromkeys(images):
        docker("image", "rm", "-f", name, check=False)
    assert not left, "containers are left"
    assert not images, "images are left"


@pytest.fixture
def project(desk: Desk) -> Iterator[Desk]:
    """Return the desk with a copy of the project on it; afterwards `inv down` must leave nothing."""
    copy_project(desk.folder)
    yield desk
    down = desk.run(inv(f"down --check --provider kind --cluster-name {desk.cluster}"))
    assert down.returncode == 0, down.stdout + down.stderr


@pytest.fixture
def free_port() -> int:
    """Return a port of this machine that is free now, below those that outgoing connections take."""
    for port in random.sample(range(20000, 30000), 50):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")


def inv(command: str) -> list[str]:
    """Return the argv of a task, as the wrapper would start it."""
    return [sys.executable, "-m", "invoke", *shlex.split(command)]
