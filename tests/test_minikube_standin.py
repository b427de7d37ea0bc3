"""The stand-in for minikube, without an engine: its command line, its profiles, and how it fails.

What it does with containers is tested in tests/docker. Nothing of minikube was recorded: its texts, flags and
exit statuses are those of its source, v1.38.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubetour.providers import Minikube
from kubetour.steps import Run
from tests.making import make_provider

STANDINS = Path(__file__).resolve().parent / "standins"
sys.path.insert(0, str(STANDINS))

from kind_standin import cli  # noqa: E402
from minikube_standin import commands, failures, machines, profiles  # noqa: E402

# An engine that has no container.
DOCKER = """#!/bin/sh
[ "$1" = inspect ] && { echo "Error: No such object" >&2; exit 1; }
echo "no docker $*" >&2; exit 1
"""


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Put an empty engine first on PATH, and give minikube a home of the test's own."""
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{STANDINS}{os.pathsep}{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MINIKUBE_HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.delenv("MINIKUBE_STANDIN_FAIL", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return tmp_path / ".minikube"


def profile(*names: str) -> profiles.Config:
    """Save a profile `mine` with nodes of these names, as minikube numbers them."""
    config = profiles.new("mine", runtime="containerd", ports=[], memory=2200, cpus="2")
    config["Nodes"] = [{"Name": name, "IP": "10.0.0.2", "ControlPlane": not name} for name in names]
    profiles.save(config)
    return config


def test_on_path_it_is_called_minikube_and_its_help_says_what_it_is() -> None:
    done = subprocess.run(["minikube", "--help"], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.endswith(f"\n{commands.STAND_IN}\n")
    assert "stand-in" in (STANDINS / "minikube").read_text(encoding="utf-8")[:200]


@pytest.mark.parametrize(
    ("command", "status", "error"),
    [
        ("bogus", 14, 'Error: unknown command "bogus" for "minikube"'),
        ("image bogus", 14, 'Error: unknown command "bogus" for "minikube image"'),
        ("start --bogus", 14, "Error: unknown flag: --bogus\nSee 'minikube start --help' for usage."),
        ("image load --bogus", 14, "See 'minikube image load --help' for usage."),
        ("node add -x", 14, "Error: unknown shorthand flag: 'x' in -x"),
        ("start --nodes", 14, "Error: flag needs an argument: --nodes"),
        ("start --nodes two", 14, 'Error: invalid argument "two" for "-n, --nodes" flag'),
        ("-p x start", 14, "Exiting due to MK_USAGE: Only alphanumeric and dashes"),
        ("-p mine start --driver kvm2", 56, "Exiting due to DRV_UNSUPPORTED_OS: The driver 'kvm2'"),
        ("-p mine start --container-runtime lxc", 14, 'Invalid Container Runtime: "lxc"'),
        ("-p mine image load", 14, "Exiting due to MK_USAGE: Please provide an image"),
        ("-p mine image load ./a.tar", 14, 'loading profile: cluster "mine" does not exist'),
        ("-p mine delete now", 14, "Exiting due to MK_USAGE: Usage: minikube delete"),
        ("profile list", 14, "Exiting due to MK_USAGE_NO_PROFILE"),
    ],
)
def test_wrong_use_fails_as_in_minikubes_source(
    command: str, status: int, error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.main(command.split()) == status
    assert error in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["ip", "ssh -- true", "update-context", "status", "node list", "node add"]
)
def test_a_profile_that_is_not_there_is_not_found(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["-p", "mine", *command.split()]) == 85
    told = 'Profile "mine" not found. Run "minikube profile list" to view all profiles.'
    assert capsys.readouterr().out == f'* {told}\n  To start a cluster, run: "minikube start -p mine"\n'


@pytest.mark.parametrize(("state", "status"), [("Stopped", 83), ("Nonexistent", 85)])
def test_a_profile_that_does_not_run_says_so(
    state: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    profile("")
    monkeypatch.setattr(machines, "state", lambda name: state)
    assert commands.main(["-p", "mine", "update-context"]) == status
    assert "The control-plane node mine host" in capsys.readouterr().out
    assert commands.main(["-p", "mine", "status", "-o", "json"]) == 7
    assert json.loads(capsys.readouterr().out)["Host"] == state


def test_the_nodes_are_listed_with_their_addresses(capsys: pytest.CaptureFixture[str]) -> None:
    profile("", "m02")
    assert commands.main(["-p", "mine", "node", "list"]) == 0
    assert capsys.readouterr().out == "mine\t10.0.0.2\nmine-m02\t10.0.0.2\n"


@pytest.mark.parametrize(
    ("there", "new"), [((), ""), (("",), "m02"), (("", "m02"), "m03"), (("", "m04"), "m05")]
)
def test_a_new_node_is_numbered_after_the_last(there: tuple[str, ...], new: str) -> None:
    assert profiles.new_node(profile(*there))["Name"] == new


def test_profiles_are_listed_and_a_damaged_one_apart(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    profile("")
    (home / "profiles" / "damaged").mkdir()
    assert commands.main(["profile", "list", "-o", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [each["Name"] for each in listed["valid"]] == ["mine"]
    assert [each["Name"] for each in listed["invalid"]] == ["damaged"]


def test_deleting_a_profile_that_is_not_there_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["-p", "mine", "delete"]) == 0
    told = capsys.readouterr()
    assert told.err == '! "mine" profile does not exist, trying anyways.\n'


@pytest.mark.parametrize(
    ("asked", "status", "reason"),
    [("memory", 23, "RSRC_INSUFFICIENT_CONTAINER_MEMORY"), ("engine", 63, "PROVIDER_DOCKER_NOT_RUNNING")],
)
def test_it_fails_when_asked_to(
    asked: str,
    status: int,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MINIKUBE_STANDIN_FAIL", asked)
    assert commands.main(["-p", "mine", "start"]) == status
    assert f"X Exiting due to {reason}: " in capsys.readouterr().err
    assert profiles.find("mine") is None


def test_a_failure_that_it_does_not_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINIKUBE_STANDIN_FAIL", "nonsense")
    with pytest.raises(ValueError, match="unknown nonsense"):
        failures.asked("memory")


def test_root_is_refused_unless_it_is_forced(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("MINIKUBE_STANDIN_FAIL", "memory")
    assert commands.main(["-p", "mine", "start"]) == 57
    assert "Exiting due to DRV_AS_ROOT" in capsys.readouterr().err
    assert commands.main(["-p", "mine", "start", "--force"]) == 23


def test_it_knows_every_flag_that_the_provider_gives() -> None:
    provider = make_provider("minikube")
    assert isinstance(provider, Minikube)
    steps = (*provider.up(), *provider.image(), *provider.down())
    runs: list[Run] = [run for step in steps for run in (*step.actions, *step.confirm, *step.rescue)]
    runs += [run for step in steps for run in (step.unless, step.exists) if run]
    typed = [[str(word) for word in run.argv] for run in runs]
    minikubes = [words[words.index("minikube") + 1 :] for words in typed if "minikube" in words]
    parsed = [cli.parse(commands.ROOT, words, commands.GLOBAL) for words in minikubes]
    assert {each.words for each in parsed} == {
        "minikube start",
        "minikube update-context",
        "minikube node list",
        "minikube image load",
        "minikube ssh",
        "minikube logs",
        "minikube delete",
        "minikube profile list",
    }
    assert all(each.path[-1].action for each in parsed)
