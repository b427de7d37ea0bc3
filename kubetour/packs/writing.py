"""Writing a pack: a directory of files becomes a pack, as that directory or as one file."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from kubetour.packs.manifest import KINDS, NAME, Item, Manifest
from kubetour.packs.reading import sha256

ARCHIVES = {".tar": "w:", ".tar.gz": "w:gz", ".tgz": "w:gz"}  # by how a name ends: how it is written


def is_archive(path: Path) -> bool:
    """Return whether a name is that of one file, not of a directory."""
    return path.name.endswith(tuple(ARCHIVES))


def items(tree: Path, named: dict[str, tuple[str, str]]) -> Iterator[Item]:
    """Yield what is in a pack's directory; `named` gives name and version of some, by their path."""
    for kind, directory in KINDS.items():
        for file in sorted((tree / directory).rglob("*")):
            if file.is_file():
                path = file.relative_to(tree).as_posix()
                name, version = named.get(path, ("", ""))
                yield Item(path, kind, file.stat().st_size, sha256(file), name, version)


def write(tree: Path, manifest: Manifest, to: Path) -> None:
    """Make a pack of a directory, which is used up if the pack is one; OSError if it cannot be kept."""
    (tree / NAME).write_text(manifest.to_json(), encoding="utf-8")
    tree.chmod(0o755)
    if not is_archive(to):
        tree.rename(to)
        return
    part = to.with_name(f".{to.name}.{os.getpid()}")
    mode = next(mode for end, mode in ARCHIVES.items() if to.name.endswith(end))
    try:
        with tarfile.open(part, mode) as archive:  # type: ignore[call-overload]  # mypy knows only literals
            for path in (NAME, *(item.path for item in manifest.files)):
                archive.add(tree / path, path, filter=_nobodys)
        part.rename(to)
    finally:
        with suppress(OSError):
            part.unlink()


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return a member without whose it was."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
