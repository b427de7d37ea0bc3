"""Ctrl-C while Python starts: it ends at once, and never with Python's own words."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMPORTS = range(0, 240, 12)  # after how many imports, of some 350; 0: before Python itself is there
AGAIN = (
    20  # imports later it is typed again: in the hundredth of a second before our first line, it is not heard
)
PATIENCE = 60.0


def interrupted(after: int) -> tuple[int, str]:
    """Return the exit status of `./inv explain KT101`, sent SIGINT after so many imports, and its own words.

    Python tells each import on standard error, so that no clock decides when it is sent.
    """
    environ = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    with subprocess.Popen(
        (ROOT / "inv", "explain", "KT101"),
        env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        encoding="utf-8", restore_signals=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        words = []
        if not after:
            process.send_signal(signal.SIGINT)
        for number, line in enumerate(process.stderr, 1):
            if number >= after and (number - after) % AGAIN == 0:
                process.send_signal(signal.SIGINT)
            if not line.startswith("import time:"):
                words.append(line)
        return process.wait(PATIENCE), "".join(words)


@pytest.mark.fault("F83")
@pytest.mark.skipif(not (ROOT / ".venv/inv-key").exists(), reason="./inv has not made .venv here")
def test_ctrl_c_ends_it_without_a_word_of_pythons_after_any_import() -> None:
    endings = {after: interrupted(after) for after in IMPORTS}
    assert {after: told for after, told in endings.items() if told != (-signal.SIGINT, "")} == {}
