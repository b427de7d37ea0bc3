"""What this project keeps in `.kubetour/`: last settings, a ledger of what it made, run records, a lock."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kubetour.errors import LockedError, ResourceError


class State:
    """The directory and its files. A write is whole or not at all; a broken file counts as absent."""

    def __init__(self, root: Path, host: str = "") -> None:
        self.root = root
        # What was made on another host has a ledger of its own, so that nothing is looked for in vain.
        self.place = root / "hosts" / quote(host, safe="@") if host else root
        self._ledger = threading.Lock()

    def of(self, host: str) -> State:
        """Return the same state with the ledger of a host; "" is this machine."""
        return State(self.root, host)

    def remembered(self) -> dict[str, Any]:
        """Return the settings that the last command in this checkout used."""
        return self._read(self.root / "last.json")

    def remember(self, values: dict[str, Any]) -> None:
        """Keep settings for the next command."""
        self._write(self.root / "last.json", values)

    def packed(self) -> dict[str, Any]:
        """Return the settings that came with a pack."""
        return self._read(self.root / "pack.json")

    def keep_packed(self, values: dict[str, str]) -> None:
        """Keep the settings of a pack, unless they are kept."""
        if self.packed() != values:
            self._write(self.root / "pack.json", values)

    def broken(self) -> tuple[str, ...]:
        """Return the files that are there and cannot be read: the disk was full, or somebody wrote there."""
        return tuple(each.name for each in self._files() if each.exists() and not self._whole(each))

    def created(self) -> tuple[str, ...]:
        """Return what this project made and has not removed: KIND/NAME, oldest first.

        Where that cannot be read, it is all that was ever made, as far as that can be.
        """
        path = self.place / "created.json"
        if path.exists() and not self._whole(path):
            return self.made()
        entries = self._read(path).get("created")
        if not isinstance(entries, list):  # of another version, say
            return self.made()
        return tuple(e for e in entries if isinstance(e, str))

    def add(self, *entries: str) -> None:
        """Enter something into the ledger, before it is made: better named for nothing than left unnamed."""
        if entries:
            with self._ledger:  # a step in the background enters what it makes, too
                self._note(entries)
                self._enter(list(dict.fromkeys((*self.created(), *entries))))

    def strike(self, *entries: str) -> None:
        """Take something out of the ledger, after it was removed."""
        if entries:
            with self._ledger:
                self._enter([e for e in self.created() if e not in entries])

    def made(self) -> tuple[str, ...]:
        """Return all that was made since the slate was clean, removed or not: the ledger's entries."""
        return tuple(entry for entry in self._slate("made") if isinstance(entry, str))

    def before(self) -> frozenset[tuple[str, str, str]]:
        """Return what was there before the first of that was made: kind, name, id."""
        rows = (tuple(map(str, row)) for row in self._slate("before") if isinstance(row, list))
        return frozenset((row[0], row[1], row[2]) for row in rows if len(row) == 3)

    def begin_slate(self, before: Iterable[tuple[str, str, str]]) -> None:
        """Keep what is there now that the first thing is going to be made."""
        self._write(self.place / "slate.json", {"made": [], "before": sorted(before)})

    def note(self, *entries: str) -> None:
        """Keep that something was made which goes together with another, as a volume with its container."""
        with self._ledger:
            self._note(entries)

    def end_slate(self) -> None:
        """Forget all that was made: nothing of it is left."""
        with self._told(self.place), suppress(FileNotFoundError):
            (self.place / "slate.json").unlink()

    def ports(self) -> dict[str, int]:
        """Return the ports that what is in the ledger was made with."""
        kept = self._read(self.place / "ports.json")
        return {name: port for name, port in kept.items() if isinstance(port, int)}

    def keep_ports(self, ports: dict[str, int]) -> None:
        """Keep the ports for the next command."""
        self._write(self.place / "ports.json", ports)

    def told(self, image: str) -> str | None:
        """Return the way by which an image's app tells who answers; None if no run has found it out."""
        way = self._read(self.place / "told.json").get(image)
        return way if isinstance(way, str) else None

    def keep_told(self, image: str, way: str) -> None:
        """Keep that way for the next command: of this image alone, as the others are of older apps."""
        self._write(self.place / "told.json", {image: way})

    def new_run(self) -> Path:
        """Return a new, empty directory for the record of a run."""
        runs = self.root / "runs"
        with self._told(runs):
            _private(runs)
            stamp = time.strftime("%Y%m%d-%H%M%S")
            return Path(tempfile.mkdtemp(prefix=f"{stamp}-", dir=runs))

    def write(self, path: Path, text: str) -> None:
        """Write a file whole: to a temporary one beside it, then renamed; ResourceError if that fails."""
        with self._told(path):
            _private(path.parent)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(name, path)
            except BaseException:
                with suppress(OSError):
                    os.unlink(name)
                raise

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold this checkout for one run; LockedError if another has it. The kernel frees it at the end."""
        path = self.root / "lock"
        with self._told(path):
            _private(self.root)
            self.root.chmod(0o700)  # older ones were open to all
            # Not through a link: the file that it leads to would be emptied.
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
            file = os.fdopen(handle, "a+", encoding="utf-8")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.seek(0)
                raise LockedError("locked", pid=file.read().strip() or "?") from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            self._drop_drafts()
            yield

    def _files(self) -> tuple[Path, ...]:
        return (
            *(self.root / name for name in ("last.json", "pack.json")),
            *(self.place / name for name in ("created.json", "slate.json", "ports.json", "told.json")),
        )

    def _drop_drafts(self) -> None:
        """Remove what a run left that was killed as it wrote: only one run at a time writes these files."""
        for path in self._files():
            for draft in path.parent.glob(f".{path.name}.*"):
                with suppress(OSError):
                    draft.unlink()

    def _slate(self, part: str) -> list[Any]:
        rows = self._read(self.place / "slate.json").get(part)
        return rows if isinstance(rows, list) else []

    def _note(self, entries: tuple[str, ...]) -> None:
        made = dict.fromkeys((*self.made(), *entries))
        if len(made) > len(self.made()):
            before = sorted(self.before())
            self._write(self.place / "slate.json", {"made": list(made), "before": before})

    def _enter(self, entries: list[str]) -> None:
        self._write(self.place / "created.json", {"created": entries})

    @contextmanager
    def _told(self, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ResourceError(
                "file-unwritable", path=str(path), reason=error.strerror or str(error)
            ) from error

    @staticmethod
    def _whole(path: Path) -> bool:
        try:
            return isinstance(json.loads(path.read_text(encoding="utf-8")), dict)
        except (OSError, ValueError, RecursionError):
            return False

    @staticmethod
    def _read(path: Path) -> dict[str, Any]:
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def _write(self, path: Path, value: dict[str, Any]) -> None:
        self.write(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _private(directory: Path) -> None:
    """Make a directory, and those that it lies in, for its owner alone."""
    for path in reversed((directory, *directory.parents)):
        if not path.exists():
            path.mkdir(mode=0o700, exist_ok=True)
