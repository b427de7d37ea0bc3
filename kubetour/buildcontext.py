"""What is built: the files of the build context and a hash of them, which becomes the image's tag."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from kubetour import dockerignore
from kubetour.errors import UsageError

LARGEST = 512 * 1024 * 1024


@dataclass(frozen=True)
class BuildContext:
    """A directory with a Dockerfile: its files, their size in bytes, and a digest of it all.

    `user` and `ports` are what the Dockerfile says of its image with USER and EXPOSE; its base may say more.
    """

    directory: str
    files: tuple[str, ...]
    size: int
    digest: str
    user: str = ""
    ports: tuple[int, ...] = ()

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
        content = dockerfile.read_bytes()
        digest.update(_field(content) + _field(base.encode()))
        names = tuple(dockerignore.files(directory))
        for name in names:
            path = directory / name
            size += path.lstat().st_size
            if size > LARGEST:
                raise UsageError("context-too-large", directory=shown, megabytes=LARGEST // 1024**2)
            digest.update(_field(os.fsencode(name)) + _content(path))
    except (OSError, ValueError) as error:
        raise UsageError("context-unreadable", directory=shown, reason=str(error)) from error
    user, ports = described(content.decode(errors="replace"))
    return BuildContext(shown, names, size, digest.hexdigest(), user, ports)


class User(Enum):
    """As whom an image runs, as far as its Dockerfile says."""

    ROOT = "root"  # or nothing is said
    NAMED = "named"  # somebody else, but Kubernetes cannot know that
    NUMBERED = "numbered"


def user(text: str) -> User:
    """Return what kind of USER that is: NAME or NUMBER, and perhaps a group behind a colon."""
    name = text.partition(":")[0]
    if name in ("", "root") or (name.isdigit() and int(name) == 0):
        return User.ROOT
    return User.NUMBERED if name.isdigit() else User.NAMED


_STAGE = re.compile(r"(?:--\S+\s+)*(\S+)(?:\s+as\s+(\S+))?\s*$", re.IGNORECASE)


def described(dockerfile: str) -> tuple[str, tuple[int, ...]]:
    """Return the USER of a Dockerfile's last stage, and the TCP ports that it EXPOSEs.

    "" and nothing where it does not say, or where only a build argument does.
    """
    stages: dict[str, tuple[str, tuple[int, ...]]] = {}
    name, user, ports = "", "", tuple[int, ...]()
    text = re.sub(r"(?m)^\s*#.*\n?", "", dockerfile)
    for keyword, rest in re.findall(r"(?im)^\s*(FROM|USER|EXPOSE)\s+(.+)$", re.sub(r"\\\s*\n", " ", text)):
        if keyword.upper() == "FROM":
            stage = _STAGE.match(rest)
            start, name = (stage[1], stage[2] or "") if stage else ("", "")
            user, ports = stages.get(start.lower(), ("", ()))
        elif keyword.upper() == "USER":
            user = "" if "$" in rest else rest.strip()
        else:
            ports = (*ports, *(int(port) for port in re.findall(r"(?<!\S)(\d+)(?:/tcp)?(?!\S)", rest)))
        stages[name.lower()] = user, ports
    return user, ports


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


def is_by_content(image: str) -> bool:
    """Return whether the tag has the form of one made from the content: the same name is the same image."""
    return re.fullmatch(r"[0-9a-f]{12}", image.rpartition(":")[2]) is not None


def with_tag(image: str, tag: str) -> str:
    """Return an image reference with that tag, unless it has one of its own."""
    name = image.rpartition("/")[2]
    return image if ":" in name else f"{image}:{tag}"
