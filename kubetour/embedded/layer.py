"""Image layers: a tar, the same bytes for the same files, and its way back into a directory."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import stat
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from kubetour.embedded.errors import EmbeddedError

# https://github.com/opencontainers/image-spec/blob/main/layer.md
MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar"
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"


@dataclass(frozen=True)
class Entry:
    """One file, directory or symbolic link of a layer; `source` is None for a directory that is made new."""

    path: str  # relative to the image's root, no leading slash
    source: Path | None
    mode: int
    uid: int = 0
    gid: int = 0
    link: str = ""


@dataclass(frozen=True)
class Layer:
    """A layer's digest (uncompressed, so also its diff ID), its tar's size, and what its files take."""

    digest: str
    size: int
    content_size: int


class _HashingWriter(io.RawIOBase):
    """A file that hashes and counts what passes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256, self.count = hashlib.sha256(), 0

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def tell(self) -> int:
        """Return how much was written, which tarfile asks."""
        return self.count

    def write(self, data: Any) -> int:
        """Pass data on."""
        self.sha256.update(data)
        self.count += len(data)
        return self._file.write(data)


def write(entries: Iterable[Entry], output: IO[bytes]) -> Layer:
    """Write a layer's tar. Times are the epoch: equal content makes an equal digest anywhere."""
    hashing = _HashingWriter(output)
    content = 0
    with tarfile.open(fileobj=hashing, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for entry in sorted(entries, key=lambda entry: entry.path.split("/")):
            member = tarfile.TarInfo(entry.path)
            member.uid, member.gid, member.mtime = entry.uid, entry.gid, 0
            member.mode = entry.mode
            if entry.link:
                member.type, member.linkname = tarfile.SYMTYPE, entry.link
                tar.addfile(member)
            elif entry.source is None:
                member.type = tarfile.DIRTYPE
                tar.addfile(member)
            else:
                with entry.source.open("rb") as file:
                    member.size = os.fstat(file.fileno()).st_size
                    content += member.size
                    tar.addfile(member, file)
    return Layer(f"sha256:{hashing.sha256.hexdigest()}", hashing.count, content)


def paths(blob: Path) -> dict[str, bool]:
    """Return the paths in a layer, and whether each is a directory."""
    with tarfile.open(blob) as tar:
        return {_inside(member.name): member.isdir() for member in tar}


def unpack(blob: Path, root: Path) -> None:
    """Apply a layer, plain or compressed, to a directory; nothing is written outside of it."""
    try:
        with tarfile.open(blob) as tar:
            for member in tar:
                _apply(tar, member, root)
    except tarfile.TarError as error:
        raise EmbeddedError(
            f"cannot unpack the layer {blob.name}: {error}; build or load the image again"
        ) from error


def _inside(name: str) -> str:
    path = PurePosixPath(name.lstrip("/"))
    if ".." in path.parts:
        raise EmbeddedError(
            f"a layer holds the path {name!r}, which leads out of the image; it is not unpacked"
        )
    return "" if str(path) == "." else str(path)


def _apply(tar: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    path = _inside(member.name)
    if not path:
        return
    target = root / path
    parent = target.parent
    # An earlier member may be a link: what goes through it must still end inside the root.
    if not parent.resolve().is_relative_to(root.resolve()):
        raise EmbeddedError(f"a layer writes {path!r} through a link out of the image; it is not unpacked")
    parent.mkdir(parents=True, exist_ok=True)
    if target.name == _OPAQUE:
        for child in parent.iterdir():
            _remove(child)
    elif target.name.startswith(_WHITEOUT):
        _remove(parent / target.name.removeprefix(_WHITEOUT))
    elif member.isdir():
        if target.is_symlink() or (target.exists() and not target.is_dir()):
            _remove(target)
        target.mkdir(exist_ok=True)
        target.chmod(stat.S_IMODE(member.mode) | stat.S_IRWXU)
    elif member.issym():
        _remove(target)
        target.symlink_to(member.linkname)
    elif member.islnk():
        _remove(target)
        original = root / _inside(member.linkname)
        if original.resolve().is_relative_to(root.resolve()):
            os.link(original, target, follow_symlinks=False)
    elif member.isfile():
        _remove(target)
        content = tar.extractfile(member)
        if content is not None:
            with content, target.open("wb") as file:
                shutil.copyfileobj(content, file)
            target.chmod(stat.S_IMODE(member.mode) & 0o777 | stat.S_IRUSR)
    # Devices and pipes need privileges, and no process here can be kept from the machine's own anyway.


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
