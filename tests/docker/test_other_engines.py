"""What is another engine's own: a real podman's, and that of the stand-in for nerdctl.

kind is the stand-in; with podman, its nodes are real containers of podman.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.docker.conftest import Desk, inv
from tests.docker.engines import NERDCTL, Engine
from tests.docker.test_kind_tour import assert_told, report, step, well


@pytest.fixture(params=["podman", "nerdctl"])
def other(request: pytest.FixtureRequest) -> Engine:
    """Return one of the engines."""
    if request.param == "nerdctl":
        return NERDCTL
    podman: Engine = request.getfixturevalue("podman")
    return podman


@pytest.fixture
def bench(project: Desk, other: Engine) -> Iterator[Desk]:
    """Return the desk with the project, and the engine's environment; afterwards nothing is left in it."""
    here = replace(project, environment={**project.environment, **other.environment, **names(project)})
    yield here
    well(here.run(inv(f"down --check --engine {other.name}")))
    left = other.left(here.mark)
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


def test_layers_tells_every_instruction_with_its_size(bench: Desk, other: Engine) -> None:
    well(bench.run(inv(f"build --engine {other.name}")))
    shown = well(bench.run(inv(f"layers --engine {other.name}")))
    for instruction in ("WORKDIR /app", "COPY", "USER 1000", "EXPOSE 8080", "ENTRYPOINT"):
        assert instruction in shown.stdout
    rows = step(report(bench), "layers")["proof"]["data"]["layers"]
    assert sum(row["size"] != "0B" for row in rows) >= 2
    assert all(re.fullmatch(r"[\d.]+(B|kB|MB|GB)", row["size"]) for row in rows)
    well(bench.run(inv("down --check")))


def test_a_container_is_told_by_its_host_name_and_is_gone_when_stopped(bench: Desk, other: Engine) -> None:
    well(bench.run(inv(f"build --engine {other.name}")))
    done = well(bench.run(inv("run")))
    assert re.search(r"You've hit [0-9a-f]{12}\b", done.stdout)
    assert "server starting" in done.stdout
    assert not [name for name in other.left(bench.mark) if name.startswith("kubetour-w")]
    well(bench.run(inv("down --check")))


def test_an_archive_that_is_there_is_written_anew(bench: Desk, other: Engine) -> None:
    well(bench.run(inv(f"build --engine {other.name}")))
    well(bench.run(inv(f"create-cluster --engine {other.name} --workers 0")))
    archive = bench.folder / ".kubetour" / "image.tar"
    archive.write_bytes(b"left by a run that was ended" * 8_000_000)
    well(bench.run(inv("load")))
    assert not archive.exists()
    well(bench.run(inv("down --check")))


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
    project: Desk, failure: str, words: list[str]
) -> None:
    names = f"--provider kind --engine nerdctl --image {project.image}"
    done = project.run(inv(f"build {names}"), NERDCTL_STANDIN_FAIL=failure)
    assert_told(done, words)


@pytest.mark.parametrize(
    ("task", "failure", "words"),
    [
        ("run", "gone", ["containerd socket", "systemctl start containerd", "nerdctl-container/kubetour-w"]),
        ("load", "digest", ["content digest", "--platform", "nerdctl-image/"]),
        ("load", "space", ["no space left on device", "system prune", "nerdctl-image/"]),
    ],
)
def test_where_nerdctl_fails_half_way_that_is_told_and_down_removes_what_is_left(
    project: Desk, task: str, failure: str, words: list[str]
) -> None:
    here: dict[str, Any] = {**names(project), "KUBETOUR_ENGINE": "nerdctl"}
    well(project.run(inv("build"), **here))
    assert_told(project.run(inv(task), **here, NERDCTL_STANDIN_FAIL=failure), words)
    well(project.run(inv("down --check"), **here))
    assert NERDCTL.left(project.mark) == []


def test_where_podman_is_a_client_without_a_machine_that_is_told(
    project: Desk, podman: Engine, tmp_path: Path
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
    project: Desk, podman: Engine, tmp_path: Path
) -> None:
    named = tmp_path / "named" / "docker"  # as Debian's package podman-docker does
    named.parent.mkdir()
    named.write_text(f'#!/bin/sh\nexec {shutil.which("podman")} "$@"\n')
    named.chmod(0o755)
    environment: dict[str, Any] = {
        **podman.environment,
        "PATH": f"{named.parent}{os.pathsep}{project.environment['PATH']}",
    }
    well(project.run(inv(f"build --provider kind --image {project.image}"), **environment))
    images = podman.lines("images", "--format", "{{.Repository}}")
    assert f"localhost/{project.image}" in images
    assert step(report(project), "build")["commands"][0]["text"].startswith("docker build")
    well(project.run(inv("down --check"), **environment))
    assert podman.left(project.mark) == []


def test_kind_is_told_the_engine_even_where_the_environment_names_another(
    project: Desk, free_port: int
) -> None:
    names = f"--provider kind --engine docker --cluster-name {project.cluster} --workers 0"
    well(project.run(inv(f"create-cluster {names}"), KIND_EXPERIMENTAL_PROVIDER="podman"))
    assert project.nodes() == [f"{project.cluster}-control-plane"]
    well(project.run(inv("down --check"), KIND_EXPERIMENTAL_PROVIDER="podman"))
    assert project.nodes() == []
