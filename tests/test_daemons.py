"""Container engines: what their `info` tells of the machine that containers run on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from invoke.context import Context

from kubetour import daemons
from kubetour.daemons import Daemon, daemon, elsewhere, judge, puts_init
from kubetour.engines import Engine
from tests.broken import GB, INFO, ROOTLESS, SNAPSHOTTER, docker, podman
from tests.making import put

DOCKER = Engine("docker", version="29.0.0")
BARE = Daemon(DOCKER, "/usr/bin/docker")
SOUND = replace(
    BARE,
    store="overlay2",
    cgroup=2,
    cgroup_driver="systemd",
    cpus=8,
    memory=16 * GB,
    root="/var/lib/docker",
)


def judged(**info: Any) -> Daemon:
    return judge(DOCKER, "/usr/bin/docker", json.dumps({**INFO, **info}))


@pytest.mark.parametrize(
    ("info", "facts"),
    [
        ({}, {}),
        (
            {"Driver": "overlayfs", "DriverStatus": SNAPSHOTTER},
            {"store": "overlayfs", "containerd_store": True},
        ),
        ({"CgroupVersion": "1", "CgroupDriver": "cgroupfs"}, {"cgroup": 1, "cgroup_driver": "cgroupfs"}),
        ({"SecurityOptions": ROOTLESS}, {"rootless": True}),
        ({"SecurityOptions": None}, {}),
        ({"PidsLimit": False}, {"limits": False}),
        ({"CgroupDriver": "none"}, {"cgroup_driver": "none", "limits": False}),
        ({"OperatingSystem": "Docker Desktop"}, {"desktop": True}),
        ({"OSType": "windows"}, {"windows": True}),
        ({"HttpProxy": "http://a:1", "HttpsProxy": "http://b:1"}, {"proxy": "http://b:1"}),
        ({"HttpProxy": "http://a:1", "HttpsProxy": ""}, {"proxy": "http://a:1"}),
        ({"NCPU": None, "MemTotal": None, "CgroupVersion": None}, {"cpus": 0, "memory": 0, "cgroup": 0}),
    ],
)
def test_what_docker_says_of_itself_is_read(info: dict[str, Any], facts: dict[str, Any]) -> None:
    assert judged(**info) == replace(SOUND, **facts)


@pytest.mark.parametrize("text", ["", "<html>", "[]", "null", '"text"'])
def test_what_is_no_answer_gives_no_facts(text: str) -> None:
    found = judge(DOCKER, "/usr/bin/docker", text)
    assert (found.engine, found.store, found.cgroup, found.memory) == (DOCKER, "", 0, 0)


@pytest.mark.parametrize(
    ("version", "host", "facts"),
    [
        ("5.4.0", {}, {}),
        ("5.4.0", {"cgroupVersion": "v1"}, {"cgroup": 1}),
        ("5.4.0", {"security": {"rootless": True}}, {"rootless": True}),
        ("5.4.0", {"cgroupControllers": ["memory", "pids"]}, {"limits": False}),
        ("5.4.0", {"cgroupControllers": []}, {"limits": False}),
        ("3.4.4", {"cgroupControllers": []}, {}),
    ],
    ids=["sound", "cgroup v1", "rootless", "no cpu", "none", "one that does not say which"],
)
def test_what_podman_says_of_itself_is_read(
    version: str, host: dict[str, Any], facts: dict[str, Any], c: Context, bin: Path
) -> None:
    path = put(bin, "podman", podman(version, **host))
    sound = Daemon(
        Engine("podman", version=version),
        path,
        store="overlay",
        cgroup=2,
        cgroup_driver="systemd",
        cpus=8,
        memory=16 * GB,
        root="/var/lib/containers/storage",
    )
    assert daemon(c, "podman") == replace(sound, **facts)


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("", ""),
        ("unix:///var/run/docker.sock", ""),
        ("npipe:////./pipe/docker_engine", ""),
        ("tcp://127.0.0.1:2375", ""),
        ("tcp://localhost:2375", ""),
        ("tcp://[::1]:2375", ""),
        ("tcp://10.0.0.5:2376", "tcp://10.0.0.5:2376"),
        ("ssh://me@server.example", "ssh://me@server.example"),
    ],
)
def test_a_daemon_is_elsewhere_if_its_address_is(endpoint: str, expected: str) -> None:
    assert elsewhere(endpoint) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"init": true}', True),
        ('{"init": false}', False),
        ("{}", False),
        ("[]", False),
        ("{", False),
        (None, False),
    ],
)
def test_dockers_configuration_tells_whether_it_puts_an_init_process_in(
    text: str | None, expected: bool, tmp_path: Path
) -> None:
    file = tmp_path / "daemon.json"
    if text is not None:
        file.write_text(text)
    assert puts_init(file) is expected


@pytest.fixture
def bin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only directory on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(daemons, "DAEMON_JSON", tmp_path / "daemon.json")
    return tmp_path


def test_a_real_program_is_asked_by_its_command_line(c: Context, bin: Path) -> None:
    path = put(bin, "docker", docker(DockerRootDir=str(bin), Driver="overlayfs", DriverStatus=SNAPSHOTTER))
    (bin / "daemon.json").write_text('{"init": true}')
    found = daemon(c, "docker")
    assert found.disk > 0
    facts: dict[str, Any] = {
        "root": str(bin),
        "store": "overlayfs",
        "containerd_store": True,
        "init": True,
        "disk": found.disk,
    }
    assert found == replace(SOUND, path=path, **facts)


def test_what_is_on_another_machine_is_not_looked_for_here(
    c: Context, bin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(bin, "docker", docker(DockerRootDir=str(bin)))
    (bin / "daemon.json").write_text('{"init": true}')
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.5:2376")
    found = daemon(c, "docker")
    assert (found.endpoint, found.disk, found.init) == ("tcp://10.0.0.5:2376", 0, False)


def test_one_that_does_not_work_is_asked_nothing_more(c: Context, bin: Path) -> None:
    path = put(bin, "docker", f'echo "$1" >> {bin}/asked; exit 1')
    found = daemon(c, "docker")
    assert (found.engine.trouble, found.path) == ("engine-daemon", path)
    assert sorted((bin / "asked").read_text().split()) == ["--version", "version"]  # asked side by side
