"""Ctrl-C while Python starts: it ends at once, and never with Python's own words."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMPORTS = range(0, 204, 12)  # after how many imports, of some 290; 0: before Python itself is there
AGAIN = (
    20  # imports later it is typed again: in the hundredth of a second before our first line, it is not heard
)
AHEAD = 4096  # bytes, some 70 imports, that it may be ahead of who sends the signal: it must not end before
PATIENCE = 60.0


def interrupted(after: int) -> tuple[int, str]:
    """Return the exit status of `./inv explain KT101`, sent SIGINT after so many imports, and its own words.

    Python tells each import on standard error, so that no clock decides when it is sent.
    """
    environ = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    told, telling = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(telling, fcntl.F_SETPIPE_SZ, AHEAD)
    with subprocess.Popen(
        (ROOT / "inv", "explain", "KT101"),
        env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=telling,
    ) as process, open(told, "rb", buffering=0) as lines:  # fmt: skip
        os.close(telling)
        words = []
        if not after:
            process.send_signal(signal.SIGINT)
        for number, line in enumerate(lines, 1):
            if number >= after and (number - after) % AGAIN == 0:
                process.send_signal(signal.SIGINT)
            if not line.startswith(b"import time:"):
                words.append(line.decode())
        return process.wait(PATIENCE), "".join(words)


@pytest.mark.fault("F83")
@pytest.mark.skipif(not (ROOT / ".venv/inv-key").exists(), reason="./inv has not made .venv here")
def test_ctrl_c_ends_it_without_a_word_of_pythons_after_any_import() -> None:
    endings = {after: interrupted(after) for after in IMPORTS}
    assert {after: told for after, told in endings.items() if told != (-signal.SIGINT, "")} == {}
