"""Reading a pack, which may come from anywhere: its files are those that pack.json names, with their hashes.

Nothing is unpacked by the archive's own names, links and modes: they have no say in where a file goes.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Literal

from kubetour.errors import IntegrityError, ResourceError, UsageError
from kubetour.packs import manifest as manifests
from kubetour.packs.manifest import Item, Manifest

CHUNK = 1 << 20
_BROKEN = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile)


def check(path: Path) -> Manifest:
    """Return a pack's manifest once every file was read and is what it says.

    Raises UsageError if there is no pack, IntegrityError for whatever is not as it must be.
    """
    with opened(path) as (manifest, files):
        left = {item.path for item in manifest.files}
        for item, source in files:
            copy(item, source, None)
            left.remove(item.path)
    if left:
        raise IntegrityError("pack-missing", file=min(left))
    return manifest


@contextmanager
def opened(path: Path) -> Iterator[tuple[Manifest, Iterator[tuple[Item, IO[bytes]]]]]:
    """Yield a pack's manifest and its files, each open until the next is asked for, as they lie in it."""
    if path.is_dir():
        manifest = _named(path, path / manifests.NAME)
        yield manifest, _in_directory(path.resolve(), manifest)
        return
    try:
        with path.open("rb") as file:
            mode: Literal["r:gz", "r:"] = "r:gz" if file.read(2) == b"\x1f\x8b" else "r:"
    except OSError as error:
        raise UsageError("pack-none", path=str(path), reason=error.strerror or str(error)) from error
    try:
        with tarfile.open(path, mode) as archive:
            members = iter(archive)
            first = next(members, None)
            source = _content(archive, first) if first and first.name == manifests.NAME else None
            if source is None:
                reason = f"its first file is not {manifests.NAME}"
                raise UsageError("pack-none", path=str(path), reason=reason)
            manifest = manifests.parse(source.read(manifests.LARGEST))
            yield manifest, _in_archive(archive, members, manifest)
    except _BROKEN as error:
        raise IntegrityError("pack-broken", path=str(path), reason=str(error)) from error


def _named(path: Path, file: Path) -> Manifest:
    if file.is_symlink() or not file.is_file():
        raise UsageError("pack-none", path=str(path), reason=f"there is no {manifests.NAME}")
    with file.open("rb") as source:
        return manifests.parse(source.read(manifests.LARGEST))


def _in_directory(path: Path, manifest: Manifest) -> Iterator[tuple[Item, IO[bytes]]]:
    for item in manifest.files:
        file = path / item.path
        if not os.path.lexists(file):
            raise IntegrityError("pack-missing", file=item.path)
        if file.resolve() != file or not file.is_file():  # a link, or below one
            raise IntegrityError("pack-member", file=item.path)
        with file.open("rb") as source:
            yield item, source


def _in_archive(
    archive: tarfile.TarFile, members: Iterator[tarfile.TarInfo], manifest: Manifest
) -> Iterator[tuple[Item, IO[bytes]]]:
    wanted = {item.path: item for item in manifest.files}
    for member in members:
        item = wanted.pop(member.name, None)
        source = _content(archive, member)
        if item is None or source is None:
            raise IntegrityError("pack-member", file=_shown(member.name))
        yield item, source


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes] | None:
    """Return a member's content, if it is a plain file: no link, no device, no hole."""
    return archive.extractfile(member) if member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) else None


def copy(item: Item, source: IO[bytes], sink: IO[bytes] | None) -> None:
    """Copy a file's content, if there is where to; IntegrityError if it is not what the manifest says."""
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if size > item.size:
            break
        if sink:
            sink.write(chunk)
    if (size, digest.hexdigest()) != (item.size, item.sha256):
        raise IntegrityError("pack-tampered", file=item.path)


def place(item: Item, source: IO[bytes], to: Path) -> bool:
    """Put a file where it belongs, whole or not at all; return False if the same is there already.

    Raises IntegrityError if it is not what the manifest says, ResourceError if it cannot be kept.
    """
    if to.is_file() and to.stat().st_size == item.size and sha256(to) == item.sha256:
        return False
    with _told(to):
        to.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=to.parent, prefix=f".{to.name}.")
    try:
        with _told(to), os.fdopen(handle, "wb") as sink:
            copy(item, source, sink)
            sink.flush()
            os.fsync(sink.fileno())
            os.chmod(name, 0o755 if item.kind == "tool" else 0o644)
        os.replace(name, to)
    finally:
        with suppress(OSError):
            os.unlink(name)
    return True


def place_wheels(path: Path, to: Path) -> tuple[int, int]:
    """Put a checked pack's wheels into a directory; return how many, and how many were not there yet."""
    made = []
    with opened(path) as (_, files):
        for item, source in files:
            if item.kind == "wheel":
                made.append(place(item, source, to / item.path.rpartition("/")[2]))
    return len(made), sum(made)


def sha256(path: Path) -> str:
    """Return a file's SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except gzip.BadGzipFile:
        raise  # an OSError, but the pack's
    except OSError as error:
        raise ResourceError("file-unwritable", path=str(path), reason=error.strerror or str(error)) from error


def _shown(name: str) -> str:
    return name[:200] if name.isprintable() else ascii(name)[:200]
