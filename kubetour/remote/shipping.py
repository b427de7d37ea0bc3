"""What has to be on the host: files by name, of which only those that changed travel."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from kubetour.buildcontext import BuildContext
from kubetour.project import ROOT, STATE

CONTEXT = f"{STATE}/context"  # where a build context from outside of the project lies there
PACKAGE = "kubetour"
LOCKS = ("inv", "requirements.lock", "requirements-dev.lock", "requirements-node.lock")

Cargo = Mapping[str, Path]  # the name there, relative to the project's directory -> the file here
Hashes = Mapping[str, str]


@dataclass(frozen=True)
class Changes:
    """What has to travel, what has to go, and the list of what is there then."""

    changed: tuple[str, ...]
    removed: tuple[str, ...]
    then: Mapping[str, Hashes]

    def __bool__(self) -> bool:
        """Return whether there is anything to do."""
        return bool(self.changed or self.removed)


def directory_there(directory: str) -> str:
    """Return where a build context lies there: at the same place, if that is within the project."""
    outside = os.path.isabs(directory) or directory.split("/", maxsplit=1)[0] == ".."
    return CONTEXT if outside else directory


def context_files(context: BuildContext, here: Path) -> dict[str, Path]:
    """Return the files of a build context, by their names there. `here` is its directory on this machine."""
    names = dict.fromkeys((*context.files, "Dockerfile", ".dockerignore"))
    prefix = PurePosixPath(directory_there(context.directory))
    found = {str(prefix / name): here / name for name in names}
    return {name: path for name, path in found.items() if path.is_symlink() or path.is_file()}


def package_files(root: Path = ROOT) -> dict[str, Path]:
    """Return the package, and what makes its Python environment there: `inv` and the lock files."""
    package = sorted(p for p in (root / PACKAGE).rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    files = (*package, *(root / name for name in LOCKS))
    return {path.relative_to(root).as_posix(): path for path in files}


def program_files(root: Path = ROOT) -> dict[str, Path]:
    """Return what sends the steady load there, and what forwards ports: any Python runs them."""
    names = (f"{PACKAGE}/{name}.py" for name in ("__init__", "alongside", "forwarded", "steady"))
    return {name: root / name for name in names}


def hashes(cargo: Cargo) -> dict[str, str]:
    """Return a hash of each file: of its content and of whether it may be executed, or of a link's target."""
    return {name: _hash(path) for name, path in cargo.items()}


def _hash(path: Path) -> str:
    if path.is_symlink():
        return "l" + hashlib.sha256(os.fsencode(path.readlink())).hexdigest()
    mode = "x" if path.stat().st_mode & 0o100 else "f"
    return mode + hashlib.sha256(path.read_bytes()).hexdigest()


def changes(wanted: Mapping[str, Hashes], there: Mapping[str, Hashes]) -> Changes:
    """Return what differs from what was shipped before, by parts of the cargo.

    A part that is not wanted now stays: a cluster may be running from it.
    """
    then = {**there, **wanted}
    before, after = _flat(there), _flat(then)
    changed = tuple(name for name, figure in _flat(wanted).items() if before.get(name) != figure)
    return Changes(changed, tuple(sorted(set(before) - set(after))), then)


def _flat(parts: Mapping[str, Hashes]) -> dict[str, str]:
    return {name: figure for part in parts.values() for name, figure in part.items()}


def read_manifest(text: str) -> dict[str, Hashes]:
    """Return what was shipped before, by parts; nothing, if that list is broken."""
    try:
        parts = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(parts, dict) or not all(isinstance(part, dict) for part in parts.values()):
        return {}
    return {
        title: {name: figure for name, figure in part.items() if isinstance(figure, str) and is_inside(name)}
        for title, part in parts.items()
    }


def is_inside(name: str) -> bool:
    """Return whether a name means a file below the project's directory there."""
    parts = name.split("/")
    return bool(name) and not name.startswith("/") and ".." not in parts


def write_manifest(shipped: Mapping[str, Hashes]) -> str:
    """Return the list of what is there."""
    return json.dumps({title: dict(part) for title, part in shipped.items()}, indent=1) + "\n"


def pack(cargo: Cargo, names: Iterable[str], file: BinaryIO) -> None:
    """Write those files as a tar.gz, as root's and with plain modes: no umask may change an image."""
    with tarfile.open(fileobj=file, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        directories = {str(parent) for name in names for parent in PurePosixPath(name).parents} - {"."}
        for directory in sorted(directories):
            entry = tarfile.TarInfo(directory)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for name in names:
            path = cargo[name]
            entry = archive.gettarinfo(path, name)
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mode = 0o755 if entry.mode & 0o100 else 0o644
            if entry.isreg():
                with path.open("rb") as content:
                    archive.addfile(entry, content)
            else:
                archive.addfile(entry, io.BytesIO())
