"""The tables of all kinds against those of a real API server (see recorded/README.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubetour.embedded import tables
from kubetour.embedded.resources import by_plural

RECORDED = Path(__file__).parent / "recorded"
COLUMNS: dict[str, list[Any]] = json.loads((RECORDED / "columns.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("resource", sorted(COLUMNS))
def test_a_table_has_the_recorded_columns(resource: str) -> None:
    columns = tables.column_definitions(by_plural(resource))
    assert [[c["name"], c["type"], c["format"], c["priority"]] for c in columns] == COLUMNS[resource]
    assert all(column["description"] for column in columns)
