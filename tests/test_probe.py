"""What this machine has: verdicts on what an engine says, and ports that really are free."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from invoke.context import Context

from kubetour import probe
from kubetour.checks import Result
from kubetour.errors import EngineError, ResourceError, ToolError
from kubetour.probe import Abilities, Engine, abilities, engine, free_port, judge_abilities, judge_engine

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


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    """Return the path of a program that says what docker would, a line for each of its arguments."""
    program = tmp_path / "docker"
    program.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        '  "version --format {{.Server.Version}}") echo 29.0.0 ;;\n'
        '  "version --format {{.Server.Os}}/{{.Server.Arch}}") echo linux/amd64 ;;\n'
        '  "build --help") echo --provenance ;;\n'
        '  "image save --help") echo --platform ;;\n'
        f"  info*) echo '{STORE}' ;;\n"
        "esac\n"
    )
    program.chmod(0o755)
    return program


def test_a_real_program_is_asked_by_its_command_line(c: Context, fake: Path) -> None:
    assert engine(c, str(fake)) == Engine(str(fake), version="29.0.0")
    assert abilities(c, str(fake)) == Abilities(
        ("--provenance=false",), ("--platform", "linux/amd64"), containerd_store=True
    )


def test_a_program_that_is_not_there_is_absent(c: Context, tmp_path: Path) -> None:
    assert engine(c, str(tmp_path / "docker")).trouble == "engine-absent"


def test_a_program_that_hangs_is_given_up(c: Context, fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "PATIENCE", 0.2)
    fake.write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    assert engine(c, str(fake)).trouble == "engine-hangs"


@pytest.fixture(params=["127.0.0.1", "0.0.0.0"])  # noqa: S104  (another program's choice)
def busy(request: pytest.FixtureRequest) -> Iterator[int]:
    """Yield a port that something listens on."""
    with socket.socket() as listener:
        listener.bind((request.param, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_that_something_listens_on_is_passed_over(busy: int) -> None:
    found = free_port(busy)
    assert busy < found < busy + probe.TRIES
    with socket.socket() as mine:
        mine.bind(("127.0.0.1", found))


def test_a_free_port_that_is_wanted_for_something_else_is_passed_over() -> None:
    first = free_port(20000)
    assert free_port(first, taken=(first,)) > first


def test_when_every_port_near_is_busy_the_error_names_the_range(
    busy: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "TRIES", 1)
    with pytest.raises(ResourceError) as caught:
        free_port(busy)
    assert caught.value.key == "ports-busy"
    assert caught.value.values == {"first": busy, "last": busy}


def test_no_port_above_the_last_one_is_tried() -> None:
    with pytest.raises(ResourceError) as caught:
        free_port(65535, taken=(65535,))
    assert caught.value.values["last"] == 65535
