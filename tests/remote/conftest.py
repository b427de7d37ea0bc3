"""A real sshd on loopback, an account on it whose home has an odd path, and a client with its own home."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.remote import sshd
from tests.remote.sshd import Account, Sshd


@dataclass(frozen=True)
class Land:
    """A directory that other users may enter, the account there, and a key that it lets in."""

    base: Path
    account: Account
    key: Path
    public: str


@pytest.fixture(scope="session")
def land() -> Iterator[Land]:
    """Return the land, or skip where there is no sshd; CI must have one."""
    missing = [] if sshd.find_sshd() else ["sshd"]
    missing += [name for name in ("ssh-keygen", "ssh-agent", "ps") if not shutil.which(name)]
    if missing and os.environ.get("CI"):
        pytest.fail(
            f"CI must have {', '.join(missing)}: apt-get install openssh-server openssh-client procps"
        )
    if missing:
        pytest.skip(f"{', '.join(missing)} not found: apt-get install openssh-server openssh-client procps")
    base = Path(tempfile.mkdtemp(prefix="kubetour-land-"))
    base.chmod(0o755)
    try:
        key = base / "key"
        public = sshd.keygen(key)
        # Named as the directory is: a fixture that another directory imports too is set up once for each.
        with sshd.account(base.name, base) as account:
            yield Land(base, account, key, public)
    finally:
        shutil.rmtree(base, ignore_errors=True)


@pytest.fixture(scope="session")
def server(land: Land) -> Iterator[Sshd]:
    """Return a server that knows the key."""
    with sshd.serve(land.public, land.account.home) as running:
        yield running


@pytest.fixture
def home(land: Land, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home of the client's that has the key and knows no host; nothing else lets it in."""
    path = tmp_path / "client's home"
    (path / ".ssh").mkdir(parents=True, mode=0o700)
    shutil.copy2(land.key, path / ".ssh" / "id_ed25519")
    monkeypatch.setenv("HOME", str(path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return path


@pytest.fixture
def known(home: Path, server: Sshd) -> Path:
    """Return the same home, which knows the server's key."""
    (home / ".ssh/known_hosts").write_text(server.known(), encoding="utf-8")
    return home


@pytest.fixture
def host(server: Sshd, land: Land) -> str:
    """Return what one types after --host."""
    return f"{land.account.name}@127.0.0.1:{server.port}"
