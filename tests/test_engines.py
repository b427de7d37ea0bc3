"""The container engines: which works, and what it is able to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from invoke.context import Context

from kubetour import engines
from kubetour.checks import Result
from kubetour.engines import Abilities, Engine, abilities, engine, find, judge_abilities, judge_engine
from kubetour.errors import EngineError, ToolError

DENIED = "permission denied while trying to connect to the Docker daemon socket"
DOWN = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"


@pytest.mark.parametrize(
    ("result", "trouble", "version"),
    [
        (Result(0, "29.0.0\n"), "", "29.0.0"),
        (Result(0, "20.10.24+dfsg1\n", "WARNING: …"), "", "20.10.24+dfsg1"),
        (Result(127, "", "sh: 1: docker: not found"), "engine-absent", ""),
        (Result(1, "", DOWN), "engine-daemon", ""),
        (Result(0, "\n", DOWN), "engine-daemon", ""),
        (Result(0, "<no value>\n"), "engine-daemon", ""),
        (Result(1, "", DENIED), "engine-permission", ""),
        (Result(1, "", DENIED.upper()), "engine-permission", ""),
        (Result(124), "engine-hangs", ""),
    ],
)
def test_what_version_says_tells_whether_an_engine_works(result: Result, trouble: str, version: str) -> None:
    found = judge_engine("docker", result)
    assert (found.trouble, found.version) == (trouble, version)


@pytest.mark.parametrize(
    ("trouble", "family"),
    [
        ("engine-absent", ToolError),
        ("engine-daemon", EngineError),
        ("engine-hangs", EngineError),
        ("engine-permission", EngineError),
    ],
)
def test_an_engine_that_does_not_work_is_refused_with_its_cause_and_fix(
    trouble: str, family: type[Exception]
) -> None:
    with pytest.raises(family) as caught:
        Engine("docker", trouble, evidence="said").require()
    error = caught.value
    assert isinstance(error, ToolError | EngineError)
    assert error.key == trouble
    for language in ("en", "zh"):
        assert all(error.explain(language))


def test_an_engine_that_works_is_returned() -> None:
    found = Engine("docker", version="29")
    assert found.require() is found


HELP = "      --provenance string\n      --sbom string\n      --pull\n"
STORE = '[["driver-type","io.containerd.snapshotter.v1"]]'


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("", "", "", ""), Abilities((), (), False)),
        ((HELP, "", "", ""), Abilities(("--provenance=false", "--sbom=false"), (), False)),
        (("--provenance string", "", "", ""), Abilities(("--provenance=false",), (), False)),
        (
            ("", "--platform strings", "", "linux/arm64\n"),
            Abilities((), ("--platform", "linux/arm64"), False),
        ),
        (("", "--platform strings", "", ""), Abilities((), (), False)),
        (("", "-o, --output string", STORE, "linux/amd64"), Abilities((), (), True)),
        (("", "", '[["Backing Filesystem","extfs"]]', ""), Abilities((), (), False)),
    ],
)
def test_an_engine_has_the_abilities_that_its_help_names(
    texts: tuple[str, str, str, str], expected: Abilities
) -> None:
    assert judge_abilities(*texts) == expected


@pytest.mark.parametrize(
    ("info", "cgroup"),
    [
        ('{"CgroupDriver":"cgroupfs","CgroupVersion":"1"}', 1),
        ('{"CgroupVersion":"2"}', 2),
        ('{\n  "host": {\n    "cgroupVersion": "v2"', 2),
        ('{"CgroupDriver":"cgroupfs"}', 0),
        ("", 0),
    ],
    ids=["Docker, v1", "Docker, v2", "podman", "an engine before 20.10", "no answer"],
)
def test_the_engine_tells_the_version_of_cgroups_of_its_machine(info: str, cgroup: int) -> None:
    assert judge_abilities("", "", "", "", info).cgroup == cgroup


@pytest.fixture
def bin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory that comes first on PATH, and the only one with an engine in it."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    for name in engines.QUESTIONS:
        put(tmp_path, name, "exit 127")
    return tmp_path


def put(directory: Path, name: str, body: str) -> None:
    program = directory / name
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)


DOCKER = f"""case "$*" in
  "version --format {{{{.Server.Version}}}}") echo 29.0.0 ;;
  "version --format {{{{.Server.Os}}}}/{{{{.Server.Arch}}}}") echo linux/amd64 ;;
  "build --help") echo --provenance ;;
  "image save --help") echo --platform ;;
  "info --format {{{{json .}}}}") echo '{{"CgroupVersion":"1"}}' ;;
  info*) echo '{STORE}' ;;
esac"""


def test_a_real_program_is_asked_by_its_command_line(c: Context, bin: Path) -> None:
    put(bin, "docker", DOCKER)
    assert engine(c, "docker") == Engine("docker", version="29.0.0")
    assert abilities(c, "docker") == Abilities(
        ("--provenance=false",), ("--platform", "linux/amd64"), containerd_store=True, cgroup=1
    )


def test_a_program_that_is_not_there_is_absent(c: Context, bin: Path) -> None:
    assert engine(c, "docker").trouble == "engine-absent"


def test_a_program_that_hangs_is_given_up(c: Context, bin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "PATIENCE", 0.2)
    put(bin, "docker", "exec tail -f /dev/null")
    assert engine(c, "docker").trouble == "engine-hangs"


@pytest.mark.parametrize(
    ("programs", "wanted", "expected"),
    [
        ({}, "auto", ("docker", "engine-absent")),
        ({"docker": "echo 29.0.0", "podman": "echo 5.4.0"}, "auto", ("docker", "")),
        ({"docker": "exit 1", "podman": "echo 5.4.0"}, "auto", ("podman", "")),
        ({"docker": "exit 1"}, "auto", ("docker", "engine-daemon")),
        ({"podman": "exit 125"}, "auto", ("podman", "engine-daemon")),
        ({"nerdctl": "echo 2.1.0"}, "auto", ("nerdctl", "")),
        ({"docker": "echo 29.0.0"}, "podman", ("podman", "engine-absent")),
    ],
    ids=[
        "none",
        "two work",
        "a client without a daemon is no engine",
        "one that is broken is named",
        "podman alone is broken",
        "only nerdctl",
        "the one asked for is not replaced",
    ],
)
def test_auto_takes_the_first_engine_that_works(
    c: Context, bin: Path, programs: dict[str, str], wanted: str, expected: tuple[str, str]
) -> None:
    for name, body in programs.items():
        put(bin, name, body)
    found = find(c, wanted)
    assert (found.name, found.trouble) == expected
