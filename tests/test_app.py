"""The app: its own tests, and its stop as a container runtime sees it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubetour import dockerignore

ROOT = Path(__file__).resolve().parent.parent
NODE = shutil.which("node") or ""


@pytest.fixture
def app() -> Iterator[subprocess.Popen[str]]:
    """Start the app as an image's entrypoint does, with no shell in between."""
    process = subprocess.Popen(
        [NODE, "app.js"],
        cwd=ROOT / "app",
        env={"HOST": "127.0.0.1", "PORT": "0", "HOSTNAME": "pod-1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.kill()


def test_its_own_tests_pass() -> None:
    done = subprocess.run(
        [NODE, "--test", "app/app.test.js"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_ends_with_status_0_at_sigterm_before_its_grace_period_is_over(app: subprocess.Popen[str]) -> None:
    assert app.stdout is not None
    assert app.stdout.readline() == "pod-1 server starting ...\n"
    address = app.stdout.readline().removeprefix("listening on ").strip()
    with urllib.request.urlopen(f"http://{address}/", timeout=5) as answer:
        assert answer.read() == b"You've hit pod-1\n"
    app.send_signal(signal.SIGTERM)
    assert app.wait(timeout=25) == 0


def test_the_build_context_holds_only_what_the_dockerfile_copies() -> None:
    # Docker always sends the Dockerfile and .dockerignore too; no layer holds them.
    assert list(dockerignore.files(ROOT)) == ["app/app.js"]
    copied = [
        line.split()[1] for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("COPY")
    ]
    assert copied == ["app/app.js"]
