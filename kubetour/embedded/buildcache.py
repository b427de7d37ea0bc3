"""The builder's memory: which instruction, on top of which state, made which layer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kubetour.embedded.paths import locked, private_directory, write_json

_LARGEST = 500  # entries; the oldest go first


class BuildCache:
    """Remembered steps by key, in one file. A damaged file is an empty memory: everything is built again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file = directory / "cache.json"

    def entries(self) -> dict[str, dict[str, Any]]:
        """Return every remembered step: when it was made and, where it made one, its layer's descriptor."""
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def layers(self) -> set[str]:
        """Return the digests of all remembered layers."""
        return {entry["layer"]["digest"] for entry in self.entries().values() if entry.get("layer")}

    def remember(self, steps: dict[str, dict[str, Any]]) -> None:
        """Add steps to the memory."""
        private_directory(self._directory)
        with locked(self._directory / ".cache.lock"):
            entries = {**self.entries(), **steps}
            newest = sorted(entries, key=lambda key: str(entries[key]["created"]))[-_LARGEST:]
            write_json(self._file, {key: entries[key] for key in newest})
