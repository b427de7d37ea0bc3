"""The documentation names what there is, and the layers are as drawn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kubetour.project import ROOT
from kubetour.settings import FIELDS, flag
from tests.docker.test_pairs import PAIRS
from tests.test_tasks import VERBS


@pytest.mark.parametrize("file", ["README.md", "README.zh.md"])
def test_a_readme_names_every_task_and_every_settings_flag(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert [verb for verb in VERBS if f"`{verb}" not in text and f"./inv {verb}" not in text] == []
    assert [name for name in FIELDS if flag(name) not in text] == []


def test_the_table_of_pairs_has_each_pair_that_takes_the_tour() -> None:
    text = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    assert [
        f"{provider} × {engine}" for provider, engine in PAIRS if f"\n| {provider} × {engine} |" not in text
    ] == []


def test_the_layers_of_the_architecture_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
