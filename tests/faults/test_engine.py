"""The container engine goes wrong: at its socket, during a build, on its disk, and below kind's nodes."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.docker.conftest import Desk, desk, docker, engine, inv, project  # noqa: F401  (fixtures)
from tests.docker.test_kind_tour import assert_told, one_node, well
from tests.faults import sockets

pytestmark = pytest.mark.docker

BUILD = "build --provider kind --engine docker"


@pytest.fixture
def bench(project: Desk) -> Desk:  # noqa: F811
    """Return the desk with the project, where everything gets a name of the test's own."""
    names = {
        "KUBETOUR_CLUSTER_NAME": project.cluster,
        "KUBETOUR_IMAGE": project.image,
        "KUBETOUR_NAME": f"w{project.cluster}",
    }
    return replace(project, environment={**project.environment, **names, "LC_ALL": "C.UTF-8"})


@pytest.mark.fault("F72")
@pytest.mark.parametrize(
    ("way", "lang", "words"),
    [
        ("silent", "zh", ["KT304", "五秒内没有响应", "--provider embedded"]),
        ("broken", "en", ["KT302", "does not answer", "database is locked"]),
    ],
)
def test_a_socket_that_is_silent_or_broken_is_told_at_once(
    bench: Desk, way: str, lang: str, words: list[str]
) -> None:
    with sockets.before(way) as socket:
        failed = bench.run(inv(f"{BUILD} --lang {lang}"), DOCKER_HOST=f"unix://{socket.path}", timeout=60)
    assert_told(failed, words)
    assert failed.returncode == 4


@pytest.mark.fault("F72")
def test_a_socket_that_this_user_may_not_use_is_told_with_how_to_get_the_right(
    bench: Desk, tmp_path: Path
) -> None:
    wrapped = tmp_path / "nobody"
    wrapped.mkdir()
    nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups" if os.getuid() == 0 else ""
    (wrapped / "docker").write_text(f'#!/bin/sh\nexec {nobody} {shutil.which("docker")} "$@"\n')
    (wrapped / "docker").chmod(0o755)
    with sockets.before("silent") as listening:
        listening.path.parent.chmod(0o755)
        listening.path.chmod(0)
        failed = bench.run(
            inv(BUILD), DOCKER_HOST=f"unix://{listening.path}",
            PATH=f"{wrapped}{os.pathsep}{bench.environment['PATH']}",
        )  # fmt: skip
    assert_told(failed, ["KT303", "permission denied", "usermod"])
    assert failed.returncode == 4


@pytest.fixture(scope="module")
def own() -> Iterator[sockets.Daemon]:
    """Return an engine of the test's own with little space."""
    with sockets.daemon() as running:
        yield running


def app(folder: Path, size: int, copies: int = 1) -> Path:
    """Make an app of one file of so many bytes, which needs no base image."""
    folder.mkdir()
    (folder / "file").write_bytes(os.urandom(size))
    copy = "".join(f"COPY file /{number}\n" for number in range(copies))
    (folder / "Dockerfile").write_text(f'FROM scratch\n{copy}USER 1000\nEXPOSE 8080\nENTRYPOINT ["/0"]\n')
    return folder


@pytest.mark.fault("F73")
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_engine_that_is_killed_during_a_build_is_told_and_the_build_goes_on_once_it_is_back(
    bench: Desk, own: sockets.Daemon, tmp_path: Path, lang: str
) -> None:
    build = f"{BUILD} --app-dir {app(tmp_path / 'small', 1000)}"
    with sockets.before("dies", b"/build?", str(own.socket)) as between:
        between.killing = own.kill
        failed = bench.run(inv(f"{build} --lang {lang}"), DOCKER_HOST=f"unix://{between.path}")
    own.start()
    assert_told(failed, ["KT302", "sudo systemctl start docker"])
    assert failed.returncode == 4
    well(bench.run(inv(build), DOCKER_HOST=own.host))
    well(bench.run(inv("down --check --provider kind"), DOCKER_HOST=own.host))


@pytest.mark.fault("F80")
def test_an_engine_that_hangs_in_the_middle_of_a_build_is_told_and_the_build_goes_on_once_it_answers(
    bench: Desk, own: sockets.Daemon, tmp_path: Path
) -> None:
    build = f"{BUILD} --app-dir {app(tmp_path / 'small', 1000)}"
    quiet = {"KUBETOUR_TIMEOUT": "3"}
    with sockets.before("hangs", b"/build?", str(own.socket)) as between:
        between.killing = own.freeze
        failed = bench.run(
            inv(f"{build} --lang zh"), DOCKER_HOST=f"unix://{between.path}", timeout=90, **quiet
        )
        own.thaw()
        assert_told(failed, ["KT304", "docker build", "sudo systemctl start docker"])
        assert failed.returncode == 4
        well(bench.run(inv(build), DOCKER_HOST=f"unix://{between.path}"))
    well(bench.run(inv("down --check --provider kind"), DOCKER_HOST=own.host))


@pytest.mark.fault("F74")
def test_a_build_without_space_is_told_and_leaves_no_half_image(
    bench: Desk, own: sockets.Daemon, tmp_path: Path
) -> None:
    large = app(tmp_path / "large", 9_000_000, copies=3)
    failed = bench.run(inv(f"{BUILD} --app-dir {large}"), DOCKER_HOST=own.host)
    assert_told(failed, ["KT708", "no space left on device", "docker system prune"])
    assert failed.returncode == 10
    assert docker("--host", own.host, "images", "-q", bench.image).stdout == ""
    well(bench.run(inv(f"{BUILD} --app-dir {app(tmp_path / 'small', 1000)}"), DOCKER_HOST=own.host))
    well(bench.run(inv("down --check --provider kind"), DOCKER_HOST=own.host))


@pytest.mark.fault("F74")
def test_a_base_image_that_is_not_here_and_cannot_be_pulled_is_told(bench: Desk) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        base = f"127.0.0.1:{closed.getsockname()[1]}/none:1"
        failed = bench.run(inv(f"{BUILD} --base {base} --lang zh"))
    assert_told(failed, ["KT30", base.partition("/")[0]])
    assert failed.returncode == 4


@pytest.mark.fault("F76")
def test_a_node_that_is_paused_or_stopped_is_told_and_the_cluster_goes_on_or_is_removed(bench: Desk) -> None:
    well(bench.run(inv(one_node(bench))))
    (node,) = bench.nodes()
    nodes = "nodes --provider kind --timeout 3"
    docker("pause", node)
    try:
        failed = bench.run(inv(nodes))
    finally:
        docker("unpause", node)
    assert_told(failed, ["KT505", "kubectl cluster-info"])
    assert failed.returncode == 6
    well(bench.run(inv("nodes --provider kind")))

    docker("kill", node)
    failed = bench.run(inv(f"{nodes} --lang zh"))
    assert_told(failed, ["KT401", "./inv create-cluster"])
    assert failed.returncode == 5
    again = bench.run(inv(one_node(bench)))
    assert_told(again, ["KT703", "./inv down"])
    assert again.returncode == 9
    assert bench.nodes() == [node]
