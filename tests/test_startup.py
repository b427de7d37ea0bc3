"""What a command imports before it does anything: each import is time that everybody waits for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubetour.project import ROOT

HEAVY = ("kubernetes", "fabric", "paramiko", "jinja2", "rich", "yaml", "aiohttp", "cryptography", "urllib3")


def started(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run a command as `./inv` does; on standard error is each module that it imported."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("KUBETOUR_")} | {"LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "kubetour", *argv],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def imported(done: subprocess.CompletedProcess[str]) -> set[str]:
    """Return the modules' names."""
    lines = (line for line in done.stderr.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip() for line in lines}


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        pytest.param(("--list",), "describe-pod", id="list"),
        pytest.param(("--help", "tour"), "--replicas", id="help"),
        pytest.param(("--complete", "--", "inv t"), "tour", id="complete a task"),
        pytest.param(("--complete", "--", "inv tour --re"), "--replicas", id="complete a flag"),
        pytest.param(("--print-completion-script", "bash"), "COMPREPLY", id="completion script"),
    ],
)
def test_what_needs_no_cluster_imports_nothing_of_it(argv: tuple[str, ...], says: str) -> None:
    done = started(*argv)
    assert done.returncode == 0, done.stderr
    assert says in done.stdout
    modules = imported(done)
    assert "invoke.program" in modules
    assert not [name for name in modules if name.split(".")[0] in HEAVY]
    assert "invoke.vendor.yaml.loader" not in modules
    assert not [name for name in modules if name.startswith("kubetour.text.") and "help_" not in name]


@pytest.mark.parametrize(
    ("argv", "unneeded"),
    [
        pytest.param(
            ("script", "--provider", "embedded"), ("kubernetes", "fabric", "rich.markdown"), id="script"
        ),
        pytest.param(("explain",), ("kubernetes", "fabric", "jinja2", "rich.markdown"), id="explain"),
        pytest.param(("lesson", "--step", "tools"), ("kubernetes", "fabric"), id="lesson"),
    ],
)
def test_what_reads_no_cluster_does_not_import_its_client(
    argv: tuple[str, ...], unneeded: tuple[str, ...]
) -> None:
    done = started(*argv)
    assert done.returncode == 0, done.stderr
    assert not imported(done).intersection(unneeded)


def test_a_configuration_in_yaml_is_read_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("kubetour: {replicas: 7, provider: embedded}\n", encoding="utf-8")
    done = started("-f", str(file), "render")
    assert done.returncode == 0, done.stderr
    assert '"replicas": 7' in done.stdout or "replicas: 7" in done.stdout, json.dumps(done.stdout)
    assert "invoke.vendor.yaml.loader" in imported(done)
