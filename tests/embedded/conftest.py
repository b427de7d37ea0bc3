"""What several tests of the embedded cluster share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory with a path short enough for a Unix socket."""
    path = tmp_path_factory.mktemp("n")
    yield path
    shutil.rmtree(path, ignore_errors=True)
