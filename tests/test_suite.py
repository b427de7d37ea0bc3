"""Which tests run when: pytest is asked what it would run, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from kubetour.project import ROOT
from tests.conftest import LONG

# One module of those that are always run is enough to tell.
NEEDED = (*LONG, "conftest.py", "test_rules.py")
OTHERS = [path for path in (ROOT / "tests").iterdir() if path.name not in NEEDED]


def collected(*args: str, **environ: str) -> set[str]:
    """Return the directories in tests/ (and modules there) of which something would run."""
    clean = {k: v for k, v in os.environ.items() if k != "CI" and not k.startswith("PYTEST")}
    words = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *args]
    told = subprocess.run(
        words, cwd=ROOT, env={**clean, **environ}, capture_output=True, text=True, check=False, timeout=120
    )
    assert told.returncode == 0, told.stdout[-2000:] + told.stderr
    return {line.split("::")[0].split("/")[1] for line in told.stdout.splitlines() if "::" in line}


@pytest.mark.parametrize(
    ("args", "environ", "long"),
    [
        pytest.param([], {}, False, id="alone"),
        pytest.param(["--long"], {}, True, id="long"),
        pytest.param([], {"CI": "true"}, True, id="in CI"),
    ],
)
def test_what_takes_long_runs_where_it_is_asked_for_and_in_ci(
    args: list[str], environ: dict[str, str], long: bool
) -> None:
    found = collected(*(f"--ignore={path}" for path in OTHERS), *args, **environ)
    assert "test_rules.py" in found
    assert found & set(LONG) == (set(LONG) if long else set())


def test_a_directory_that_is_named_is_run() -> None:
    assert collected("tests/faults/test_locks.py") == {"faults"}
