"""A small pack for tests, as a directory or a file, and whole or with something wrong."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kubetour.packs.manifest import NAME, Manifest, locks, this_python
from kubetour.packs.writing import items, write
from kubetour.pins import this_system
from kubetour.project import ROOT

FILES = {
    "wheels/one-1-py3-none-any.whl": b"one" * 1000,
    "wheels/two-2-py3-none-any.whl": b"two" * 1000,
    "images/0.tar": b"image" * 1000,
    "lessons/en.md": b"# a lesson\n",
}


def make(to: Path, **changed: str) -> Path:
    """Write a pack, with other values in its manifest if they are given."""
    tree = to.with_name(f"{to.name}-tree")
    for path, content in FILES.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(content)
    values: dict[str, Any] = {"kubetour": "0.1.0", "made": "2026-01-02T03:04:05Z", "system": this_system()}
    values |= {"python": this_python(), "locks": locks(ROOT), **changed}
    files = tuple(items(tree, {"images/0.tar": ("shop:1", "sha256:abc")}))
    write(tree, Manifest(**values, settings={}, files=files), to)
    return to


def remake(pack: Path, change: Callable[[dict[str, Any]], None], *extra: tarfile.TarInfo) -> Path:
    """Write a file's pack.json anew after a change, and add members behind the others."""
    changed = pack.with_name("changed.tar")
    with tarfile.open(pack) as old, tarfile.open(changed, "w") as new:
        for member in old:
            source = old.extractfile(member)
            assert source is not None
            content = source.read()
            if member.name == NAME:
                said = json.loads(content)
                change(said)
                content = json.dumps(said).encode()
                member.size = len(content)
            new.addfile(member, io.BytesIO(content))
        for member in extra:
            new.addfile(member, io.BytesIO(b"x" * member.size))
    return changed


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> tarfile.TarInfo:
    """Return a member of an archive."""
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, link, size
    return made
