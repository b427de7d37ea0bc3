"""The container engines: which works, and what it is able to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from invoke.context import Context

from kubetour import engines
from kubetour.checks import Result
from kubetour.dialects import DIALECTS, remedies
from kubetour.engines import (
    Abilities,
    Engine,
    abilities,
    engine,
    find,
    judge_abilities,
    judge_dialect,
    judge_engine,
)
from kubetour.errors import EngineError, ToolError
from kubetour.reference import in_registry
from tests.making import put

DENIED = "permission denied while trying to connect to the Docker daemon socket"
DOWN = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"


# What podman 4.3 and nerdctl 2.1 say where nothing is behind them.
NO_MACHINE = (
    "Cannot connect to Podman. Please verify your connection to the Linux system using `podman system "
    "connection list`, or try `podman machine init` and `podman machine start` to manage a new Linux VM\n"
    "Error: unable to connect to Podman socket: dial unix /nowhere/podman.sock: no such file or directory"
)
NO_CONTAINERD = 'level=fatal msg="cannot access containerd socket \\"/run/containerd/containerd.sock\\"'
ROOTLESS = 'level=fatal msg="rootless containerd not running? (hint: use `containerd-rootless-setuptool.sh'


@pytest.mark.parametrize(
    ("name", "result", "trouble", "version"),
    [
        ("docker", Result(0, "29.0.0\n"), "", "29.0.0"),
        ("docker", Result(0, "20.10.24+dfsg1\n", "WARNING: …"), "", "20.10.24+dfsg1"),
        ("docker", Result(127, "", "sh: 1: docker: not found"), "engine-absent", ""),
        ("docker", Result(1, "", DOWN), "engine-daemon", ""),
        ("docker", Result(0, "\n", DOWN), "engine-daemon", ""),
        ("docker", Result(0, "<no value>\n"), "engine-daemon", ""),
        ("docker", Result(1, "", DENIED), "engine-permission", ""),
        ("docker", Result(1, "", DENIED.upper()), "engine-permission", ""),
        ("docker", Result(124), "engine-hangs", ""),
        ("podman", Result(0, "4.3.1\n"), "", "4.3.1"),
        ("podman", Result(125, "", NO_MACHINE), "engine-daemon", ""),
        ("podman", Result(127, "", "sh: 1: podman: not found"), "engine-absent", ""),
        ("podman", Result(125, "", "mkdir /run/libpod: permission denied"), "engine-permission", ""),
        ("nerdctl", Result(0, "v2.1.4\n"), "", "2.1.4"),
        ("nerdctl", Result(0, "1.7.23~ds2\n"), "", "1.7.23~ds2"),
        ("nerdctl", Result(1, "", f"{NO_CONTAINERD}: no such file or directory"), "engine-daemon", ""),
        ("nerdctl", Result(1, "", f"{NO_CONTAINERD}: permission denied"), "engine-permission", ""),
        ("nerdctl", Result(1, "", ROOTLESS), "engine-daemon", ""),
    ],
)
def test_what_an_engine_answers_tells_whether_it_works(
    name: str, result: Result, trouble: str, version: str
) -> None:
    found = judge_engine(name, result)
    assert (found.name, found.trouble, found.version) == (name, trouble, version)


@pytest.mark.parametrize(
    ("says", "dialect"),
    [
        ("Docker version 28.2.2, build e6534b4\n", "docker"),
        ("podman version 5.4.0\n", "podman"),
        ("nerdctl version 2.1.4\n", "nerdctl"),
        ("", "docker"),
        ("29.0.0\n", "docker"),
    ],
)
def test_a_program_named_docker_is_what_its_version_says(says: str, dialect: str) -> None:
    assert judge_dialect("docker", Result(0, says)) == dialect


@pytest.mark.parametrize(
    ("name", "complaint", "system", "command"),
    [
        ("docker", DOWN, "Linux", "sudo systemctl start docker"),
        ("docker", "unix:///run/user/1000/docker.sock", "Linux", "systemctl --user start docker"),
        (
            "docker",
            "unix:///home/a/.docker/desktop/docker.sock",
            "Linux",
            "systemctl --user start docker-desktop",
        ),
        ("docker", "unix:///Users/a/.docker/run/docker.sock", "Darwin", "open -a Docker"),
        ("podman", NO_MACHINE, "Darwin", "podman machine start"),
        ("podman", NO_MACHINE, "Linux", "systemctl --user start podman.socket"),
        ("podman", "cannot re-exec process", "Linux", "podman system migrate"),
        ("nerdctl", NO_CONTAINERD, "Linux", "sudo systemctl start containerd"),
        ("nerdctl", ROOTLESS, "Linux", "containerd-rootless-setuptool.sh install"),
        ("nerdctl", "", "Darwin", "limactl start"),
    ],
)
def test_what_starts_an_engine_depends_on_it_and_the_system(
    name: str, complaint: str, system: str, command: str
) -> None:
    assert DIALECTS[name].start(complaint, system) == command


@pytest.mark.parametrize(
    ("program", "complaint", "permit"),
    [
        ("docker", "", "docker"),
        ("kind", DOWN, "docker"),
        ("kind", NO_MACHINE, "podman"),
        ("docker", NO_MACHINE, "podman"),
        ("podman", "connect to the docker daemon", "podman"),
        ("nerdctl", "", "nerdctl"),
    ],
)
def test_a_complaint_tells_which_engine_to_mend(program: str, complaint: str, permit: str) -> None:
    assert remedies(program, complaint)["permit"] == DIALECTS[permit].permit


@pytest.mark.parametrize(
    ("image", "full"),
    [
        ("web:1", "localhost/web:1"),
        ("team/web:1", "localhost/team/web:1"),
        ("localhost/web:1", "localhost/web:1"),
        ("localhost:5000/web", "localhost:5000/web"),
        ("registry.example/team/web:1", "registry.example/team/web:1"),
    ],
)
def test_podman_puts_a_registry_before_a_name_that_has_none(image: str, full: str) -> None:
    assert in_registry(image, DIALECTS["podman"].local) == full
    assert (
        in_registry(image, DIALECTS["docker"].local) == in_registry(image, DIALECTS["nerdctl"].local) == image
    )


@pytest.mark.parametrize(
    ("trouble", "family"),
    [
        ("engine-absent", ToolError),
        ("engine-daemon", EngineError),
        ("engine-hangs", EngineError),
        ("engine-permission", EngineError),
    ],
)
@pytest.mark.parametrize("name", DIALECTS)
def test_an_engine_that_does_not_work_is_refused_with_its_cause_and_fix(
    name: str, trouble: str, family: type[Exception]
) -> None:
    with pytest.raises(family) as caught:
        Engine(name, trouble, evidence="said").require()
    error = caught.value
    assert isinstance(error, ToolError | EngineError)
    assert error.key == trouble
    for language in ("en", "zh"):
        cause, fix = error.explain(language)
        assert name in cause
        assert "--provider embedded" in fix
        assert name == "docker" or "docker " not in fix


def test_an_engine_that_works_is_returned() -> None:
    found = Engine("docker", version="29")
    assert found.require() is found


HELP = "      --provenance string\n      --sbom string\n      --pull\n"
STORE = '{"CgroupVersion":"1","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]]}'
# What `docker buildx inspect` prints, with the names it gives drivers.
BUILDER = "Name:          {0}\nDriver:        {0}\nLast Activity: 2026-11-25\n\nNodes:\nName:   {0}0\n"


@pytest.mark.parametrize(
    ("name", "texts", "expected"),
    [
        ("docker", {}, Abilities((), (), False)),
        ("docker", {"build": HELP}, Abilities(("--provenance=false", "--sbom=false"), (), False)),
        ("docker", {"build": "--provenance string"}, Abilities(("--provenance=false",), (), False)),
        (
            "docker",
            {"build": f"{HELP} --load", "builder": BUILDER.format("docker-container")},
            Abilities(("--provenance=false", "--sbom=false", "--load"), (), False),
        ),
        (
            "docker",
            {"build": "--load", "builder": BUILDER.format("kubernetes")},
            Abilities(("--load",), (), False),
        ),
        ("docker", {"build": "--load", "builder": BUILDER.format("docker")}, Abilities((), (), False)),
        ("docker", {"build": "--load", "builder": ""}, Abilities((), (), False)),
        (
            "docker",
            {"save": "--platform strings", "platform": "linux/arm64\n"},
            Abilities((), ("--platform", "linux/arm64"), False),
        ),
        ("docker", {"save": "--platform strings"}, Abilities((), (), False)),
        (
            "docker",
            {"save": "-o, --output string", "info": STORE, "platform": "linux/amd64"},
            Abilities((), (), containerd_store=True, cgroup=1),
        ),
        ("docker", {"info": '{"DriverStatus":[["Backing Filesystem","extfs"]]}'}, Abilities((), (), False)),
        # What else mentions that store, as a warning might, says nothing of where images are.
        ("docker", {"info": STORE.replace("DriverStatus", "Warnings")}, Abilities((), (), False, 1)),
        ("docker", {"info": STORE[:-1]}, Abilities((), (), False, 1)),
        # podman's --sbom scans; its template fails half-way, as it has no such field.
        (
            "podman",
            {"build": "--platform linux/arm  --sbom preset", "save": "--format string", "platform": "linux/"},
            Abilities((), (), False),
        ),
        # nerdctl saves one platform unless told otherwise, and has no such fields either.
        (
            "nerdctl",
            {"build": HELP, "save": "--all-platforms --platform strings"},
            Abilities(("--provenance=false", "--sbom=false"), (), False),
        ),
    ],
)
def test_an_engine_has_the_abilities_that_its_help_names(
    name: str, texts: dict[str, str], expected: Abilities
) -> None:
    assert judge_abilities(DIALECTS[name], **texts) == expected


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
    assert judge_abilities(DIALECTS["docker"], info=info).cgroup == cgroup


@pytest.fixture
def bin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory that comes first on PATH, and the only one with an engine in it."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.delenv(engines.KIND_PROVIDER, raising=False)
    for name in DIALECTS:
        put(tmp_path, name, "exit 127")
    return tmp_path


DOCKER = f"""case "$*" in
  --version) echo "Docker version 29.0.0, build 1" ;;
  "version --format {{{{.Server.Version}}}}") echo 29.0.0 ;;
  "version --format {{{{.Server.Os}}}}/{{{{.Server.Arch}}}}") echo linux/amd64 ;;
  "build --help") echo --provenance --load ;;
  "buildx inspect") echo "Driver: docker-container" ;;
  "image save --help") echo --platform ;;
  "info --format {{{{json .}}}}") echo '{STORE}' ;;
esac"""


def test_a_real_program_is_asked_by_its_command_line(c: Context, bin: Path) -> None:
    put(bin, "docker", DOCKER)
    found = engine(c, "docker")
    assert found == Engine("docker", version="29.0.0")
    assert abilities(c, found) == Abilities(
        ("--provenance=false", "--load"), ("--platform", "linux/amd64"), containerd_store=True, cgroup=1
    )


def test_podman_may_be_called_docker(c: Context, bin: Path) -> None:
    says = 'case "$1" in --version) echo podman version 5.4.0 ;; info) echo 5.4.0 ;; *) exit 125 ;; esac'
    put(bin, "docker", says)
    found = find(c, "auto")
    assert (found.name, found.speaks.name, found.version) == ("docker", "podman", "5.4.0")


@pytest.mark.parametrize("wanted", ["podman", "nerdctl"])
def test_auto_takes_first_the_engine_that_kind_is_told_to_use(c: Context, bin: Path, wanted: str) -> None:
    for name in DIALECTS:
        put(bin, name, "echo 5.4.0")
    assert find(c, "auto", {engines.KIND_PROVIDER: wanted}).name == wanted
    assert find(c, "auto", {engines.KIND_PROVIDER: "finch"}).name == "docker"
    assert find(c, "docker", {engines.KIND_PROVIDER: wanted}).name == "docker"


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
