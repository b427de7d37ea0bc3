"""What is built: the files of the build context and a hash of them, which becomes the image's tag."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from kubetour import dockerignore
from kubetour.errors import UsageError

LARGEST = 512 * 1024 * 1024


@dataclass(frozen=True)
class BuildContext:
    """A directory with a Dockerfile: its files, their size in bytes, and a digest of it all."""

    directory: str
    files: tuple[str, ...]
    size: int
    digest: str

    @property
    def tag(self) -> str:
        """Return the image tag for this content: twelve hexadecimal digits, as Docker shortens IDs."""
        return self.digest[:12]


def read(directory: Path, shown: str, base: str = "") -> BuildContext:
    """Return the build context of a directory; UsageError if it has no Dockerfile, or is unreadable or huge.

    The digest covers names, executable bits, contents, the Dockerfile and the base image: whatever can
    change the image. An unchanged digest means that there is nothing to build.
    """
    dockerfile = directory / "Dockerfile"
    if not dockerfile.is_file():
        raise UsageError("dockerfile-missing", directory=shown)
    digest = hashlib.sha256()
    size = 0
    try:
        digest.update(_field(dockerfile.read_bytes()) + _field(base.encode()))
        names = tuple(dockerignore.files(directory))
        for name in names:
            path = directory / name
            size += path.lstat().st_size
            if size > LARGEST:
                raise UsageError("context-too-large", directory=shown, megabytes=LARGEST // 1024**2)
            digest.update(_field(os.fsencode(name)) + _content(path))
    except (OSError, ValueError) as error:
        raise UsageError("context-unreadable", directory=shown, reason=str(error)) from error
    return BuildContext(shown, names, size, digest.hexdigest())


def _content(path: Path) -> bytes:
    if path.is_symlink():
        return b"l" + _field(os.fsencode(path.readlink()))
    if not path.is_file():
        return b"s"  # a socket or a pipe: Docker sends none of its content either
    mode = b"x" if path.stat().st_mode & 0o100 else b"f"
    return mode + _field(hashlib.sha256(path.read_bytes()).digest())


def _field(content: bytes) -> bytes:
    """Return content with its length before it, so that no two lists of fields look alike."""
    return len(content).to_bytes(8, "big") + content


def with_tag(image: str, tag: str) -> str:
    """Return an image reference with that tag, unless it has one of its own."""
    name = image.rpartition("/")[2]
    return image if ":" in name else f"{image}:{tag}"
