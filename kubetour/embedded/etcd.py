"""A revisioned store on SQLite, in the manner of kine: one append-only log of every change.

Each write gets the next revision of one global counter, compares before it swaps, and is on disk (in the
write-ahead log) before it returns, so `kill -9` loses nothing. Old revisions stay readable until compaction.
One thread, the event loop's, uses a Store; a second process that opens the same file is refused.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from kubetour.embedded.watcher import Watcher

# Columns as in kine: a row is one change; `prev` is the revision of the row it supersedes (0: a creation).
_SCHEMA = """
CREATE TABLE IF NOT EXISTS log (
    revision INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    created INTEGER NOT NULL,
    prev INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS log_key ON log (key, revision);
CREATE TABLE IF NOT EXISTS compaction (only INTEGER PRIMARY KEY CHECK (only = 1), revision INTEGER NOT NULL);
INSERT OR IGNORE INTO compaction VALUES (1, 0);
"""
_LATEST = """
SELECT key, value, created, revision, MAX(revision) FROM log
WHERE key >= ? AND key < ? AND revision <= ? GROUP BY key HAVING deleted = 0 ORDER BY key
"""
_HISTORY = """
SELECT log.revision, log.key, log.value, old.value, log.deleted FROM log
LEFT JOIN log AS old ON old.revision = log.prev
WHERE log.revision > ? AND log.key >= ? AND log.key < ? ORDER BY log.revision LIMIT ?
"""


class KeyValue(NamedTuple):
    """A key's value at some revision, and the revisions that created and last changed it."""

    key: str
    value: str
    create_revision: int
    mod_revision: int


class Change(NamedTuple):
    """One write. A deletion carries the value the key had last, as the writer wished it to be remembered."""

    revision: int
    key: str
    value: str
    previous: str | None
    deleted: bool


class CompareError(Exception):
    """The key is not at the revision that the writer expected."""


class CompactedError(Exception):
    """The history asked for is gone; `args[0]` is the oldest revision that can still be read."""


class StoreInUseError(Exception):
    """Another process has this store open."""


class StoreDamagedError(Exception):
    """The file is no store, or not whole."""


class StoreFullError(Exception):
    """What was to be written has no room on the disk, or could not be written for another reason."""


class Store:
    """Keys like "/pods/default/web" with text values, kept in the file `path` (":memory:" keeps nothing).

    The first path segment is the key's bucket; a prefix names at least a whole bucket ("/pods/").
    """

    def __init__(self, path: Path | str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, timeout=0.2)
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            self._db.close()
            if "locked" in str(error):
                raise StoreInUseError(
                    f"another process uses the store {path}; stop that cluster first"
                ) from error
            raise StoreDamagedError(
                f"the store {path} cannot be read: {error}; delete the cluster, and create it anew"
            ) from error
        self._watchers: dict[str, list[Watcher]] = {}

    def _open(self) -> None:
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._db.execute("PRAGMA auto_vacuum=INCREMENTAL")  # of a new file; of another it changes nothing
        self._db.execute("PRAGMA journal_mode=WAL")
        # NORMAL: a commit survives the death of the process; of the machine, a scratch cluster need not.
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        self.compacted: int = self._db.execute("SELECT revision FROM compaction").fetchone()[0]
        last = self._db.execute("SELECT MAX(revision) FROM log").fetchone()[0] or 0
        self.revision: int = max(1, last, self.compacted)
        self._live: dict[str, dict[str, KeyValue]] = {}
        for kv in self._at("", self.revision):
            self._live.setdefault(_bucket(kv.key), {})[kv.key] = kv

    def close(self) -> None:
        """End every watch and close the file."""
        for watcher in [watcher for watchers in self._watchers.values() for watcher in watchers]:
            watcher.close()
        self._db.close()

    def get(self, key: str) -> KeyValue | None:
        """Return the key's present value, or None."""
        return self._live.get(_bucket(key), {}).get(key)

    def range(self, prefix: str, revision: int = 0) -> list[KeyValue]:
        """Return what lies under a prefix in key order, now or as it was at a revision.

        Raises CompactedError for a revision before the compaction and ValueError for one yet to come.
        """
        if revision and revision != self.revision:
            if revision < self.compacted:
                raise CompactedError(self.compacted)
            if revision > self.revision:
                raise ValueError(f"revision {revision} is in the future; the store is at {self.revision}")
            return self._at(prefix, revision)
        bucket = self._live.get(_bucket(prefix), {})
        whole = prefix.count("/") == 2
        return [bucket[key] for key in sorted(bucket) if whole or key.startswith(prefix)]

    def _at(self, prefix: str, revision: int) -> list[KeyValue]:
        rows = self._db.execute(_LATEST, (*_bounds(prefix), revision))
        return [KeyValue(key, value, created, changed) for key, value, created, changed, _ in rows]

    def put(self, key: str, value: str, expected: int | None = None) -> int:
        """Write a value and return its revision.

        `expected` is the mod_revision the key must have (0: it must not exist), else CompareError.
        """
        return self._write(key, value, expected, deleted=False)

    def delete(self, key: str, last: str, expected: int | None = None) -> int:
        """Remove a key, which must exist, and return the revision; watchers are sent `last`."""
        if self.get(key) is None:
            raise CompareError(key)
        return self._write(key, last, expected, deleted=True)

    def _write(self, key: str, value: str, expected: int | None, *, deleted: bool) -> int:
        name = _bucket(key)
        bucket = self._live.setdefault(name, {})
        old = bucket.get(key)
        prev = old.mod_revision if old else 0
        if expected is not None and expected != prev:
            raise CompareError(key)
        revision = self.revision + 1
        created = old.create_revision if old else revision
        try:
            self._db.execute(
                "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)", (revision, key, value, deleted, created, prev)
            )
        except sqlite3.OperationalError as error:  # nothing was written, and nothing has changed
            raise StoreFullError(f"the store cannot be written: {error}") from error
        self.revision = revision
        if deleted:
            del bucket[key]
        else:
            bucket[key] = KeyValue(key, value, created, revision)
        watchers = self._watchers.get(name)
        if watchers:
            change = Change(revision, key, value, old.value if old else None, deleted)
            for watcher in watchers:
                watcher.offer(change)
        return revision

    def watch(self, prefix: str, after: int) -> Watcher:
        """Follow every change under a prefix with a revision above `after`, in order, none twice.

        Raises CompactedError where some of them are gone. Close the watcher when done.
        """
        if after < self.compacted:
            raise CompactedError(self.compacted)
        watchers = self._watchers.setdefault(_bucket(prefix), [])
        watcher = Watcher(self, prefix, after, on_close=watchers.remove)
        watchers.append(watcher)
        return watcher

    def history(self, prefix: str, after: int, limit: int) -> deque[Change]:
        """Return the first `limit` changes under a prefix above revision `after`.

        Raises CompactedError where some of them are gone.
        """
        if after < self.compacted:
            raise CompactedError(self.compacted)
        rows: Iterable[tuple[int, str, str, str | None, int]] = self._db.execute(
            _HISTORY, (after, *_bounds(prefix), limit)
        )
        return deque(Change(rev, key, value, old, bool(gone)) for rev, key, value, old, gone in rows)

    def compact(self, revision: int) -> None:
        """Forget what was superseded or deleted at or before a revision; no reader may start there again."""
        revision = min(revision, self.revision)
        if revision <= self.compacted:
            return
        try:
            self._db.execute("BEGIN")
            self._db.execute(
                "DELETE FROM log WHERE revision IN (SELECT prev FROM log WHERE revision <= ?)", (revision,)
            )
            self._db.execute("DELETE FROM log WHERE deleted = 1 AND revision <= ?", (revision,))
            self._db.execute("UPDATE compaction SET revision = ?", (revision,))
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise StoreFullError(f"the store cannot be compacted: {error}") from error
        self.compacted = revision

    @property
    def pages(self) -> tuple[int, int]:
        """Return how many pages the file has, and how many of them hold nothing."""
        whole, free = (
            int(self._db.execute(f"PRAGMA {of}").fetchone()[0]) for of in ("page_count", "freelist_count")
        )
        return whole, free

    def give_back(self, pages: int) -> None:
        """Make the file shorter by so many pages that hold nothing, if it has them. StoreFullError."""
        try:
            # Not `execute`, which takes the first step alone: one page.
            self._db.executescript(f"PRAGMA incremental_vacuum({pages:d})")
        except sqlite3.OperationalError as error:
            raise StoreFullError(f"the store cannot be made smaller: {error}") from error


def _bucket(key: str) -> str:
    return key.split("/", 2)[1] if key else ""


def _bounds(prefix: str) -> tuple[str, str]:
    return prefix, prefix + "\U0010ffff"
