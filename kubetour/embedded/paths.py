"""Where the embedded cluster keeps its state, and how a file there is written."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT_VARIABLE = "KUBETOUR_EMBEDDED_ROOT"


def state_root() -> Path:
    """Return the state directory: $KUBETOUR_EMBEDDED_ROOT, else `.kubetour/embedded` where one is."""
    return Path(os.environ.get(ROOT_VARIABLE) or Path(".kubetour") / "embedded").absolute()


def private_directory(path: Path) -> Path:
    """Make a directory (and its parents) that only its owner can enter, and return it."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except FileNotFoundError:  # mkdir's own `parents` would be open to all
        private_directory(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
    return path


def write_atomically(path: Path, content: bytes | str, mode: int = 0o600) -> None:
    """Write a file that has its mode from the start and is never seen half written."""
    data = content.encode() if isinstance(content, str) else content
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.chmod(draft, mode)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON, atomically, for its owner alone."""
    write_atomically(path, json.dumps(value, sort_keys=True))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock, among processes and threads, that ends with the process at the latest."""
    path.touch(mode=0o600)
    with open(path, "a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
