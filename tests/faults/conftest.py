"""A checkout for each test, of which nothing is left afterwards, whatever was done to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.checkout import Checkout, make


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """Return a checkout; afterwards `down --check` must find nothing that is left of it."""
    (tmp_path / "faulty").mkdir()
    made = make(tmp_path / "faulty")
    yield made
    made.clean("--provider", "embedded")
