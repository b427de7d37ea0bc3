"""What `inv doctor` says of broken machines: a person who reads it knows what to type next."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from invoke.context import Context

from kubetour import daemons, doctor, engines, machine, settled, tools, traps
from kubetour.findings import findings
from kubetour.forecast import forecast
from kubetour.machine import Machine
from kubetour.settings import Settings
from kubetour.text import LANGUAGES
from kubetour.traps import TRAPS, Severity
from tests.broken import HANGS, MACHINES, SOUND_HOST, Broken
from tests.conftest import GOLDENS

Gathered = Callable[[str], tuple[Broken, Machine, Settings]]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only directory on PATH; no download is kept anywhere, and no Node is beside this Python."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(tools, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    return directory


@pytest.fixture
def gathered(path: Path, c: Context, monkeypatch: pytest.MonkeyPatch) -> Gathered:
    """Return a function that gathers the facts of a broken machine by its name."""

    def gather(name: str) -> tuple[Broken, Machine, Settings]:
        broken = MACHINES[name]
        if HANGS in broken.programs.values():
            for module in (engines, tools, machine, daemons):
                monkeypatch.setattr(module, "PATIENCE", 2.0)
        return broken, broken.gather(c, path), Settings(**broken.settings)

    return gather


def test_enough_broken_machines_are_simulated() -> None:
    assert sum(1 for broken in MACHINES.values() if broken.traps) >= 25


def test_every_trap_has_a_machine_that_is_in_it() -> None:
    told = {trap.split()[1] for broken in MACHINES.values() for trap in broken.traps}
    assert {trap.key for trap in TRAPS} == told


def test_no_golden_file_is_of_a_machine_that_is_gone() -> None:
    files = {path.name for path in (GOLDENS / "doctor").iterdir()}
    assert files == {f"{name}.{language}.txt" for name in MACHINES for language in LANGUAGES}


@pytest.mark.parametrize("name", MACHINES)
def test_a_broken_machine_is_told_what_is_broken_and_what_to_do(
    name: str, gathered: Gathered, golden: Callable[[str, str], None], path: Path
) -> None:
    broken, found, settings = gathered(name)
    applying = traps.find(found, settings)
    assert sorted(f"{item.severity.value} {item.trap.key}" for item in applying) == sorted(broken.traps)
    status = next((item.trap.exit_status for item in applying if item.severity is Severity.STOPS), 0)
    assert status == broken.exit_status
    for language in LANGUAGES:
        lines = findings(found, settings, applying, [], (), language)
        text = (
            "\n".join([*lines, ""])
            .replace(str(path), "/usr/bin")
            .replace("within 2 seconds", "within 5 seconds")
        )
        golden(f"doctor/{name}.{language}.txt", text)


def run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, found: Machine, c: Context, **flags: Any
) -> int | str | None:
    """Return the exit status of doctor on a machine, in a checkout that has done nothing yet."""
    for name in [name for name in os.environ if name.startswith("KUBETOUR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(settled, "STATE", str(tmp_path / "state"))
    monkeypatch.setattr(doctor, "gather", lambda c: found)
    monkeypatch.chdir(tmp_path)
    try:
        doctor.doctor(c, {"lang": "en", **flags})
    except SystemExit as ended:
        return ended.code
    return 0


@pytest.mark.parametrize("name", ["sound", "bare", "daemon-down-for-kind", "cgroup-v1", "project-read-only"])
def test_its_exit_status_is_that_of_the_first_trouble_that_would_stop_the_tour(
    name: str,
    gathered: Gathered,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    c: Context,
    capsys: pytest.CaptureFixture[str],
) -> None:
    broken, found, _ = gathered(name)
    assert run(monkeypatch, tmp_path, found, c, **broken.settings) == broken.exit_status
    assert "--replicas" in capsys.readouterr().out, "the settings are told whatever is broken"


@pytest.mark.parametrize(
    ("flags", "status", "told"),
    [
        ({"config": "absent.yaml"}, 2, "absent.yaml is no kind config"),
        ({"app_dir": "tests"}, 2, "There is no Dockerfile in"),
        ({"provider": "context"}, 9, "only if its context is named"),
    ],
    ids=["config", "Dockerfile", "context"],
)
def test_what_is_wrong_with_files_and_settings_is_told_too(
    flags: dict[str, Any],
    status: int,
    told: str,
    gathered: Gathered,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    c: Context,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, found, _ = gathered("sound")
    assert run(monkeypatch, tmp_path, found, c, **flags) == status
    out = capsys.readouterr().out
    assert re.search(rf"✗ .*{told}.*\n  → ", out)


@pytest.mark.parametrize(
    ("flags", "status"),
    [({"provider": "context"}, 9), ({"provider": "kind", "config": "absent.yaml"}, 4)],
    ids=["a refusal comes before the engine", "the engine comes before files"],
)
def test_the_first_of_several_troubles_counts(
    flags: dict[str, Any],
    status: int,
    gathered: Gathered,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    c: Context,
) -> None:
    _, found, _ = gathered("daemon-down-for-kind")
    assert run(monkeypatch, tmp_path, found, c, **flags) == status


def test_it_changes_nothing(
    gathered: Gathered, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, c: Context
) -> None:
    _, found, _ = gathered("bare")
    run(monkeypatch, tmp_path, found, c)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["bin"]


def test_what_was_made_here_is_told() -> None:
    lines = findings(Machine(SOUND_HOST), Settings(), (), [], ("kind-cluster/kubetour",), "en")
    assert "✓ Made here so far: kind-cluster/kubetour" in list(lines)


def test_what_a_program_says_cannot_rewrite_the_terminal(gathered: Gathered, path: Path, c: Context) -> None:
    evil = Broken((), programs={"kubectl": "printf '\\033[2Jgone' >&2; exit 1"})
    found = evil.gather(c, path)
    applying = traps.find(found, Settings())
    text = "\n".join(findings(found, Settings(), applying, [], (), "en"))
    assert "gone" in text
    assert "\x1b" not in text


def test_the_reason_told_is_the_forecasts(gathered: Gathered) -> None:
    _, found, settings = gathered("no-engine")
    assert forecast(found, settings).provider == "embedded"
    text = "\n".join(findings(found, settings, (), [], (), "en"))
    assert "Provider: embedded, because there is no container engine here." in text
