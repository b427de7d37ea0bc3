"""Rule 18: over a whole tour no secret is in a command line, a log, a report or a recording, and no file that
holds one can be read by others. Every secret is a word that is looked for everywhere.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.checkout import Checkout, make

pytestmark = pytest.mark.skipif(
    not shutil.which("node") and not os.environ.get("CI"), reason="the app needs Node.js: it is not on PATH"
)
FLAGS = ("--provider", "embedded", "--cluster-name", "canary", "--name", "canary", "--image", "canary")
PASSWORD, BEARER, FROM_ENVIRONMENT = "canary-password-7f3", "canaryBearer0123456789", "canary-environment-5c1"
# What an app should not print, and some do.
LEAK = f"""
console.log('password={PASSWORD}');
console.error('Authorization: Bearer {BEARER}');
console.log(JSON.stringify({{ auths: {{ 'registry.example': {{ auth: '{PASSWORD}' }} }} }}));
"""


@contextmanager
def command_lines() -> Iterator[set[bytes]]:
    """Yield the command lines of all processes that there are while the block runs."""
    seen: set[bytes] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    seen.add((process / "cmdline").read_bytes())
                except OSError:
                    continue

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


@pytest.fixture(scope="module")
def toured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Checkout, set[bytes], str]]:
    """Return a checkout whose tour has been taken, every command line meanwhile, and what was printed."""
    checkout = make(tmp_path_factory.mktemp("canary"))
    app = checkout.root / "app" / "app.js"
    app.write_text(app.read_text(encoding="utf-8") + LEAK, encoding="utf-8")
    try:
        with command_lines() as seen:
            told = checkout.inv(
                "tour", *FLAGS, DOCKER_PASSWORD=FROM_ENVIRONMENT, AWS_SECRET_ACCESS_KEY=FROM_ENVIRONMENT
            )
        yield checkout, seen, told.stdout + told.stderr
    finally:
        checkout.clean("--provider", "embedded", "--cluster-name", "canary")


def token(checkout: Checkout) -> str:
    text = (checkout.root / ".kubetour/embedded/clusters/canary/cluster.json").read_text(encoding="utf-8")
    found: str = json.loads(text)["token"]
    return found


def files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file() and not path.is_symlink()]


def test_the_token_has_at_least_256_bits_of_chance(toured: tuple[Checkout, set[bytes], str]) -> None:
    assert len(bytes.fromhex(token(toured[0]))) >= 32


def test_no_secret_is_in_a_command_line(toured: tuple[Checkout, set[bytes], str]) -> None:
    checkout, seen, _ = toured
    assert any(b"kubetour.embedded" in line for line in seen), "they were looked at"
    for secret in (token(checkout), PASSWORD, BEARER, FROM_ENVIRONMENT):
        assert not [line for line in seen if secret.encode() in line]


def test_no_secret_is_in_what_is_kept_of_the_run(toured: tuple[Checkout, set[bytes], str]) -> None:
    checkout, _, _ = toured
    kept = files(checkout.root / ".kubetour/runs")
    assert {path.name for path in kept} >= {"report.json", "report.html", "report.xml", "run.cast"}
    for path in kept:
        text = path.read_text(encoding="utf-8")
        for secret in (token(checkout), PASSWORD, BEARER, FROM_ENVIRONMENT):
            assert secret not in text, path
    assert "[redacted]" in (kept[0].parent / "report.json").read_text(encoding="utf-8"), (
        "it was there to be taken out"
    )


def test_the_clusters_token_is_in_two_files_and_in_nothing_that_is_printed(
    toured: tuple[Checkout, set[bytes], str],
) -> None:
    checkout, _, printed = toured
    assert token(checkout) not in printed
    assert FROM_ENVIRONMENT not in printed
    holding = {
        path.relative_to(checkout.root / ".kubetour").as_posix()
        for path in files(checkout.root / ".kubetour")
        if token(checkout).encode() in path.read_bytes()
    }
    assert holding == {"embedded/clusters/canary/cluster.json", "embedded-canary.kubeconfig"}


def test_nothing_that_is_kept_can_be_reached_by_others(toured: tuple[Checkout, set[bytes], str]) -> None:
    checkout, _, _ = toured
    state = checkout.root / ".kubetour"
    private = [
        state,
        state / "embedded",
        state / "embedded/clusters",
        state / "runs",
        *(state / "runs").iterdir(),
    ]
    for path in private:
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    cluster = state / "embedded/clusters/canary"
    secret = [cluster / "cluster.json", state / "embedded-canary.kubeconfig", *cluster.glob("pki/*.key")]
    assert len(secret) > 2
    for path in [*secret, *files(state / "runs"), *state.glob("*.json")]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_nothing_listens_beyond_loopback(toured: tuple[Checkout, set[bytes], str]) -> None:
    checkout, _, _ = toured
    sockets = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
            if f"KUBETOUR_CHECKOUT={checkout.root}".encode() in environment.split(b"\0"):
                sockets |= {os.readlink(entry) for entry in (process / "fd").iterdir()}
        except OSError:
            continue
    listening = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                listening.append(fields[1])
    assert len(listening) > 3, "the API, the proxy and the Pods"
    assert [address for address in listening if not address.split(":")[0].endswith("7F")] == []
