"""The build context: which of its files a COPY takes, and where in the image they go."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import posixpath
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kubetour import dockerignore
from kubetour.embedded.layer import Entry


class CopyError(ValueError):
    """A COPY that cannot be done as it is written."""


@dataclass(frozen=True)
class Ownership:
    """What --chown and --chmod ask for; a mode of None keeps the file's own."""

    uid: int = 0
    gid: int = 0
    mode: int | None = None


class Context:
    """A directory's files as far as its .dockerignore lets them in."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = tuple(dockerignore.files(root))
        self._directories = {
            posixpath.join(*parts[:end])
            for parts in (name.split("/") for name in self.files)
            for end in range(1, len(parts))
        }

    def copy(
        self, sources: list[str], destination: str, present: dict[str, bool], owner: Ownership
    ) -> list[Entry]:
        """Return the layer entries of a COPY. `destination` is absolute; `present` says which paths the image
        has so far, and whether each is a directory. CopyError where a source is missing or lies outside."""
        found = [match for source in sources for match in self._matches(source)]
        into = destination.endswith("/") or present.get(destination.strip("/"), destination == "/")
        if len(found) > 1 and not into:
            raise CopyError("several sources need a destination that is a directory: end it with /")
        target = destination.strip("/")
        entries: dict[str, Entry] = {}
        for name in found:
            if name == "" or name in self._directories:
                entries.update(self._tree(name, target, owner))
            else:
                path = posixpath.join(target, posixpath.basename(name)) if into else target
                entries[path] = self._entry(path, self._followed(name), owner)
        return [*_missing_parents(entries, present), *entries.values()]

    def _matches(self, source: str) -> list[str]:
        name = posixpath.normpath(source.lstrip("/") or ".")
        if name == ".." or name.startswith("../"):
            raise CopyError(f"{source!r} lies outside of the build context {self.root}; move it inside")
        if name == ".":
            return [""]
        known = [*self.files, *sorted(self._directories)]
        found = [name] if name in known else []
        if not found and any(char in name for char in "*?["):
            found = sorted(path for path in known if _matches(name, path))
        if not found:
            there = os.path.lexists(self.root / name)
            why = "is excluded by .dockerignore" if there else f"is not in the build context {self.root}"
            if (self.root / name).is_dir():
                return [name]  # an empty directory
            raise CopyError(f"{source!r} {why}")
        return found

    def _tree(self, name: str, target: str, owner: Ownership) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        prefix = f"{name}/" if name else ""
        for path in self.files:
            if path.startswith(prefix):
                inside = posixpath.join(target, path.removeprefix(prefix))
                entries[inside] = self._entry(inside, self.root / path, owner)
        for path in self._directories:
            if path.startswith(prefix):
                inside = posixpath.join(target, path.removeprefix(prefix))
                entries[inside] = self._entry(inside, self.root / path, owner)
        return entries

    def _followed(self, name: str) -> Path:
        """Return the file behind a source that is a link, which must lie in the context too."""
        path = self.root / name
        if path.is_symlink() and not path.resolve().is_relative_to(self.root.resolve()):
            raise CopyError(f"{name!r} is a link that leads out of the build context; copy its target inside")
        return path.resolve() if path.is_symlink() else path

    @staticmethod
    def _entry(path: str, source: Path, owner: Ownership) -> Entry:
        found = source.lstat()
        mode = stat.S_IMODE(found.st_mode) if owner.mode is None else owner.mode
        if stat.S_ISLNK(found.st_mode):
            return Entry(path, None, 0o777, owner.uid, owner.gid, link=os.readlink(source))
        if stat.S_ISDIR(found.st_mode):
            return Entry(path, None, mode, owner.uid, owner.gid)
        if not stat.S_ISREG(found.st_mode):
            raise CopyError(
                f"{path!r} is neither a file, a directory nor a link; exclude it in .dockerignore"
            )
        return Entry(path, source, mode, owner.uid, owner.gid)


def _matches(pattern: str, path: str) -> bool:
    """Return whether each segment matches on its own, as a `*` does not reach over a slash."""
    wanted, parts = pattern.split("/"), path.split("/")
    pairs = zip(parts, wanted, strict=False)
    return len(wanted) == len(parts) and all(fnmatch.fnmatchcase(part, want) for part, want in pairs)


def _missing_parents(entries: Iterable[str], present: dict[str, bool]) -> list[Entry]:
    entries = set(entries)
    parents = {"/".join(path.split("/")[:end]) for path in entries for end in range(1, path.count("/") + 1)}
    return directories(sorted(parents - entries), present)


def directories(paths: Iterable[str], present: dict[str, bool]) -> list[Entry]:
    """Return entries for those directories that the image does not have yet."""
    return [Entry(path, None, 0o755) for path in paths if path and not present.get(path)]


def digest(entries: Iterable[Entry]) -> str:
    """Return a hash of everything about these entries that gets into a layer."""
    total = hashlib.sha256()
    for entry in sorted(entries, key=lambda entry: entry.path):
        about = f"{entry.path}\0{entry.mode:o}\0{entry.uid}\0{entry.gid}\0{entry.link}\0"
        total.update(about.encode("utf-8", "surrogateescape"))
        if entry.source:
            with entry.source.open("rb") as file:
                content = hashlib.sha256()
                while chunk := file.read(1 << 20):
                    content.update(chunk)
            total.update(content.digest())
    return total.hexdigest()
