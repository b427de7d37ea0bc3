"""The same tour with another engine than Docker: a real podman, and the stand-in for nerdctl.

podman has its storage, networks and settings in a directory of the test's own. kind is the stand-in; with
podman, its nodes are real containers of podman.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.docker.conftest import BASE, STANDINS, Desk, Done, inv
from tests.docker.registries import registry
from tests.docker.test_kind_tour import TOUR, report, step, well

MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
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
class Other:
    """Another engine: its program, what its images' names begin with, and the environment that it needs."""

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

    def left(self, desk: Desk) -> list[str]:
        """Return the containers and images that have names of this desk's."""
        mark = desk.cluster.removeprefix("t")
        containers = self.lines("ps", "-a", "--format", "{{.Names}}")
        images = self.lines("images", "--format", "{{.Repository}}:{{.Tag}}")
        return [name for name in (*containers, *images) if mark in name]


def limit(which: int) -> str:
    """Return a limit for containers in podman's form; not every machine lets it set its own, a million."""
    hard = resource.getrlimit(which)[1]
    return str(4096 if hard == resource.RLIM_INFINITY else min(hard, 4096))


@pytest.fixture(scope="session")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Other]:
    """Return a real podman with the base image, and with nothing of this machine's own podman."""
    if not shutil.which("podman"):
        if os.environ.get("CI"):
            pytest.fail("CI must have podman")
        pytest.skip("no podman on PATH: apt-get install podman")
    here = tmp_path_factory.mktemp("podman")
    # crun refuses a machine with both versions of cgroups; runc does not.
    runtime = 'runtime = "runc"' if shutil.which("runc") else ""
    limits = {"files": limit(resource.RLIMIT_NOFILE), "processes": limit(resource.RLIMIT_NPROC)}
    octet = 100 + os.getpid() % 100
    (here / "containers.conf").write_text(
        CONTAINERS.format(here=here, runtime=runtime, octet=octet, **limits)
    )
    (here / "storage.conf").write_text(STORAGE.format(here=here))
    (here / "networks").mkdir()
    made = Other(
        "podman",
        "podman",
        "localhost/",
        {
            "CONTAINERS_CONF": str(here / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(here / "storage.conf"),
        },
    )
    subprocess.run(
        [STANDINS / "base-image", "--engine", "podman"],
        check=True,
        capture_output=True,
        timeout=120,
        env={**os.environ, **made.environment},
    )
    yield made
    made("rm", "--all", "--force", "--volumes", check=False)
    made("image", "rm", "--all", "--force", check=False)
    made("network", "rm", "--force", "kind", check=False)


@pytest.fixture(scope="session")
def nerdctl() -> Other:
    """Return the stand-in for nerdctl."""
    return Other("nerdctl", str(STANDINS / "nerdctl"))


@pytest.fixture(params=["podman", "nerdctl"])
def other(request: pytest.FixtureRequest) -> Other:
    """Return one of the engines."""
    chosen: Other = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def bench(project: Desk, other: Other) -> Iterator[Desk]:
    """Return the desk with the project, and the engine's environment; afterwards nothing is left in it."""
    here = replace(project, environment={**project.environment, **other.environment, **names(project)})
    yield here
    here.run(inv(f"down --engine {other.name}"))
    left = other.left(here)
    for name in left:
        other("rm", "-f", name, check=False)
        other("image", "rm", "-f", name, check=False)
    assert not left


def names(desk: Desk) -> dict[str, str]:
    """Return the environment that gives everything a name of the test's own."""
    return {
        "KUBETOUR_PROVIDER": "kind",
        "KUBETOUR_CLUSTER_NAME": desk.cluster,
        "KUBETOUR_IMAGE": desk.image,
        "KUBETOUR_NAME": f"w{desk.cluster}",
        "KUBETOUR_TIMEOUT": "90",
    }


def test_the_tour_proves_every_step_and_down_leaves_nothing(bench: Desk, other: Other) -> None:
    well(bench.run(inv(f"tour --engine {other.name}"), timeout=300))
    record = report(bench)
    assert record["ok"], record
    assert [each["step"] for each in record["steps"]] == TOUR
    assert all(each["proof"]["holds"] for each in record["steps"])
    called = [command["text"] for each in record["steps"] for command in each["commands"]]
    assert not [command for command in called if command.startswith(("docker", "kind"))]

    # the engine has the image and the nodes by the names that the tour says
    images = [
        name for name in other.lines("images", "--format", "{{.Repository}}:{{.Tag}}") if bench.image in name
    ]
    assert [name.rpartition(":")[0] for name in images] == [f"{other.local}{bench.image}"]
    nodes = [f"{bench.cluster}-{role}" for role in ("control-plane", "worker", "worker2")]
    assert set(nodes) <= set(other.lines("ps", "--format", "{{.Names}}"))
    for node in nodes:
        on_node = images[0] if other.local else f"docker.io/library/{images[0]}"
        found = json.loads(other("exec", node, "crictl", "inspecti", on_node).stdout)
        assert found["status"]["repoTags"] == [on_node]
    answers = "".join(command["stdout"] for command in step(record, "hit-all")["commands"])
    assert len(set(re.findall(r"You've hit (\S+)", answers))) == 3

    # what the tour left is found again without naming the engine, and removed
    well(bench.run(inv(f"tour --engine {other.name}"), timeout=300))
    assert step(report(bench), "create-cluster")["already"]
    assert step(report(bench), "build")["already"]
    down = well(bench.run(inv("down")))
    assert other.left(bench) == [], down.stdout
    assert not list(bench.folder.glob(".kubetour/*.tar"))


def test_layers_tells_every_instruction_with_its_size(bench: Desk, other: Other) -> None:
    well(bench.run(inv(f"build --engine {other.name}")))
    shown = well(bench.run(inv(f"layers --engine {other.name}")))
    for instruction in ("WORKDIR /app", "COPY", "USER 1000", "EXPOSE 8080", "ENTRYPOINT"):
        assert instruction in shown.stdout
    rows = step(report(bench), "layers")["proof"]["data"]["layers"]
    assert sum(row["size"] != "0B" for row in rows) >= 2
    assert all(re.fullmatch(r"[\d.]+(B|kB|MB|GB)", row["size"]) for row in rows)
    well(bench.run(inv("down")))


def test_a_container_is_told_by_its_host_name_and_is_gone_when_stopped(bench: Desk, other: Other) -> None:
    well(bench.run(inv(f"build --engine {other.name}")))
    done = well(bench.run(inv("run")))
    assert re.search(r"You've hit [0-9a-f]{12}\b", done.stdout)
    assert "server starting" in done.stdout
    assert not [name for name in other.left(bench) if name.startswith("kubetour-w")]
    well(bench.run(inv("down")))


def test_an_archive_that_is_there_is_written_anew(bench: Desk, other: Other) -> None:
    well(bench.run(inv(f"build --engine {other.name}")))
    well(bench.run(inv(f"create-cluster --engine {other.name} --workers 0")))
    archive = bench.folder / ".kubetour" / "image.tar"
    archive.write_bytes(b"left by a run that was ended" * 8_000_000)
    well(bench.run(inv("load")))
    assert not archive.exists()
    well(bench.run(inv("down")))


@pytest.mark.skipif(
    not shutil.which("docker-registry") and not os.environ.get("CI"), reason="no docker-registry on PATH"
)
def test_a_push_is_proved_by_the_digest_that_the_registry_has(
    bench: Desk, other: Other, tmp_path: Path
) -> None:
    with registry(tmp_path / "registry") as address:
        insecure = tmp_path / "registries.conf"
        insecure.write_text(f'[[registry]]\nlocation = "{address}"\ninsecure = true\n')
        environment = {"CONTAINERS_REGISTRIES_CONF": str(insecure)}
        # Short names are those of this file now: the base is named in full where it is podman's own.
        base = f"--base {other.local}{BASE}" if other.local else ""
        well(bench.run(inv(f"build --engine {other.name} {base}"), **environment))
        well(bench.run(inv(f"push --registry {address}/team"), **environment))
        proof = step(report(bench), "push")["proof"]
        name, _, tag = proof["text"].split()[3].rpartition(":")
        assert name == f"{address}/team/{bench.image}"
        manifest = urllib.request.Request(
            f"http://{address}/v2/team/{bench.image}/manifests/{tag}", headers={"Accept": MANIFESTS}
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            manifest, timeout=10
        ) as answer:
            assert answer.headers["Docker-Content-Digest"] in proof["text"]
        well(bench.run(inv("down"), **environment))
    assert other.left(bench) == []


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ("daemon", ["containerd socket", "systemctl start containerd"]),
        ("rootless", ["containerd-rootless-setuptool.sh install"]),
        ("permission", ["permission denied", "log in again"]),
        ("buildkit", ["buildctl", "start buildkit"]),
        ("space", ["no space left on device", "system prune"]),
    ],
)
def test_where_nerdctl_fails_the_cause_and_the_fix_are_told(
    project: Desk, nerdctl: Other, failure: str, words: list[str]
) -> None:
    names = f"--provider kind --engine {nerdctl.name} --image {project.image}"
    done = project.run(inv(f"build {names}"), NERDCTL_STANDIN_FAIL=failure)
    assert_told(done, words)


def test_where_podman_is_a_client_without_a_machine_that_is_told(
    project: Desk, podman: Other, tmp_path: Path
) -> None:
    client = tmp_path / "client" / "podman"  # as on macOS, where podman is a client of a machine
    client.parent.mkdir()
    client.write_text(
        f'#!/bin/sh\nexec {shutil.which("podman")} --remote --url unix:///nowhere/podman.sock "$@"\n'
    )
    client.chmod(0o755)
    path = f"{client.parent}{os.pathsep}{project.environment['PATH']}"
    done = project.run(inv(f"build --provider kind --engine podman --image {project.image}"), PATH=path)
    assert_told(done, ["onnect to Podman", "systemctl --user start podman.socket"])


def test_podman_that_is_called_docker_is_taken_for_what_it_is(
    project: Desk, podman: Other, tmp_path: Path
) -> None:
    named = tmp_path / "named" / "docker"  # as Debian's package podman-docker does
    named.parent.mkdir()
    named.write_text(f'#!/bin/sh\nexec {shutil.which("podman")} "$@"\n')
    named.chmod(0o755)
    environment = {**podman.environment, "PATH": f"{named.parent}{os.pathsep}{project.environment['PATH']}"}
    well(project.run(inv(f"build --provider kind --image {project.image}"), **environment))
    images = podman.lines("images", "--format", "{{.Repository}}")
    assert f"localhost/{project.image}" in images
    assert step(report(project), "build")["commands"][0]["text"].startswith("docker build")
    well(project.run(inv("down"), **environment))
    assert podman.left(project) == []


def test_kind_is_told_the_engine_even_where_the_environment_names_another(
    project: Desk, free_port: int
) -> None:
    names = f"--provider kind --engine docker --cluster-name {project.cluster} --workers 0"
    well(project.run(inv(f"create-cluster {names}"), KIND_EXPERIMENTAL_PROVIDER="podman"))
    assert project.nodes() == [f"{project.cluster}-control-plane"]
    well(project.run(inv("down"), KIND_EXPERIMENTAL_PROVIDER="podman"))
    assert project.nodes() == []


def assert_told(done: Done, words: list[str]) -> None:
    """See that a command failed with a known cause, the evidence, and a fix."""
    assert done.returncode not in (0, 1), done.stdout + done.stderr
    for word in words:
        assert word in done.stderr
    assert "\n→ " in done.stderr
    assert "Traceback" not in done.stderr
