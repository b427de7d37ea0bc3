"""On the host there is less than the tour needs: no right to use the engine, no engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.conftest import require_engine
from tests.e2e.checkout import Checkout, make
from tests.faults.theirs import told
from tests.remote.conftest import Land, home, host, known, land, server  # noqa: F401  (fixtures)


@pytest.fixture
def checkout(tmp_path: Path, known: Path, land: Land) -> Iterator[Checkout]:  # noqa: F811
    """Return a checkout whose commands run as another user over SSH; nothing of theirs runs after."""
    (tmp_path / "checkout").mkdir()
    yield make(tmp_path / "checkout")
    assert land.account.processes() == []


@pytest.mark.fault("F79")
@pytest.mark.parametrize(
    ("engine", "lang", "status", "code", "words"),
    [
        ("docker", "en", 4, "KT303", ("permission denied", "usermod")),
        ("nerdctl", "zh", 3, "KT204", ("nerdctl", "--provider embedded")),
    ],
)  # fmt: skip
def test_an_engine_that_is_not_there_or_not_for_this_user_is_told_of_the_host(
    checkout: Checkout,
    host: str,  # noqa: F811
    land: Land,  # noqa: F811
    engine: str,
    lang: str,
    status: int,
    code: str,
    words: tuple[str, ...],
) -> None:
    if engine == "docker":
        require_engine()
    before = sorted(land.account.home.rglob("*"))
    failed = checkout.inv(
        "build", "--provider", "kind", "--engine", engine, "--host", host, lang=lang, check=status
    )
    told(failed, code, *words)
    assert sorted(land.account.home.rglob("*")) == before, "nothing was made there"
