"""What goes wrong half-way: cause and fix are told, and what is left is named, so that `down` removes it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.docker.conftest import BASE, Desk, docker, inv, lines
from tests.docker.test_kind_tour import assert_told, well

# An engine whose daemon ends at one command, and does not answer from then on, until the file is gone.
LEAVING = """#!/bin/sh
[ "$1" = {word} ] && : >{gone}
[ -e {gone} ] || exec {docker} "$@"
echo "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?" >&2
exit 1
"""


@pytest.fixture
def bench(project: Desk) -> Desk:
    """Return the desk with the project, and an environment that gives everything a name of the test's own."""
    names = {
        "KUBETOUR_CLUSTER_NAME": project.cluster,
        "KUBETOUR_IMAGE": project.image,
        "KUBETOUR_NAME": f"w{project.cluster}",
        "KUBETOUR_WORKERS": "0",
        "KUBETOUR_TIMEOUT": "90",
    }
    return replace(project, environment={**project.environment, **names})


def there(desk: Desk) -> list[str]:
    """Return all containers with names of the desk's."""
    return [name for name in lines("ps", "-a", "--format", "{{.Names}}") if desk.mark in name]


@pytest.mark.parametrize(
    ("task", "provider", "word", "left"),
    [
        ("create-cluster", "kind", "exec", "kind-cluster/t{}"),
        ("create-cluster", "minikube", "exec", "minikube-cluster/t{}"),
        ("run", "kind", "logs", "docker-container/kubetour-wt{}"),
        ("push --registry 127.0.0.1:5", "kind", "push", "docker-image/127.0.0.1:5/kubetour-test-{}"),
    ],
    ids=["kind", "minikube", "container", "push"],
)
@pytest.mark.fault("F73")
def test_an_engine_that_goes_half_way_is_told_and_what_it_left_is_removed_once_it_is_back(
    bench: Desk, tmp_path: Path, task: str, provider: str, word: str, left: str
) -> None:
    if task != "create-cluster":
        well(bench.run(inv(f"build --provider {provider}")))
    leaving = tmp_path / "leaving"
    leaving.mkdir()
    (leaving / "docker").write_text(
        LEAVING.format(word=word, gone=leaving / "gone", docker=shutil.which("docker"))
    )
    (leaving / "docker").chmod(0o755)
    path = f"{leaving}{os.pathsep}{bench.environment['PATH']}"
    name, _, more = task.partition(" ")
    done = bench.run(inv(f"{name} --provider {provider} {more}"), PATH=path)
    assert_told(done, ["Cannot connect to the Docker daemon", "systemctl start docker"])
    assert done.returncode == 4
    assert left.format(bench.mark) in done.stderr
    down = bench.run(inv(f"down --check --provider {provider}"), PATH=path)
    assert_told(down, ["Cannot connect to the Docker daemon"])
    assert bool(there(bench)) is (name != "push")

    (leaving / "gone").unlink()
    well(bench.run(inv(f"down --check --provider {provider}")))
    assert there(bench) == []
    assert not lines("images", "-q", bench.image)


@pytest.mark.parametrize(
    ("task", "more", "failing", "pulling"),
    [
        ("create-cluster --provider kind", "", "KIND_STANDIN_FAIL", "Ensuring node image"),
        ("create-cluster --provider minikube", "", "MINIKUBE_STANDIN_FAIL", "Pulling base image"),
        ("build --provider kind", "--engine nerdctl", "NERDCTL_STANDIN_FAIL", "load metadata for"),
    ],
    ids=["kind", "minikube", "nerdctl"],
)
def test_a_slow_pull_ends_with_ctrl_c_and_leaves_nothing_that_down_does_not_remove(
    bench: Desk, task: str, more: str, failing: str, pulling: str
) -> None:
    name, _, provider = task.partition(" --provider ")
    with subprocess.Popen(
        inv(f"{name} --provider {provider} {more}"),
        cwd=bench.folder,
        env={**bench.environment, failing: "slow"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if pulling in line:
                break
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "./inv down" in err
    assert there(bench) == []
    well(bench.run(inv(f"down --check --provider {provider} {more}")))
    assert f"/{bench.cluster}" not in (bench.folder / ".kubetour" / "created.json").read_text()


@pytest.mark.parametrize(
    ("task", "provider", "engine", "name"),
    [
        ("create-cluster", "kind", "docker", "t{}-control-plane"),
        ("create-cluster", "minikube", "docker", "t{}"),
        ("run", "kind", "docker", "kubetour-wt{}"),
        ("run", "kind", "nerdctl", "kubetour-wt{}"),
    ],
    ids=["kind", "minikube", "container", "container of nerdctl"],
)
def test_a_container_of_someone_elses_that_has_the_name_is_left_alone(
    bench: Desk, task: str, provider: str, engine: str, name: str
) -> None:
    name = name.format(bench.mark)
    if task == "run":
        well(bench.run(inv(f"build --provider {provider} --engine {engine}")))
    docker("run", "-d", "--name", name, "--entrypoint", "node", BASE, "-e", "setTimeout(()=>0,1e9)")
    try:
        done = bench.run(inv(f"{task} --provider {provider} --engine {engine}"))
        assert_told(done, ["name"])
        assert done.returncode == 9
        well(bench.run(inv(f"down --check --provider {provider} --engine {engine}")))
        assert lines("inspect", "-f", "{{.State.Running}}", name) == ["true"]
    finally:
        docker("rm", "-f", name)
