"""A volume's directory: written so that readers see the old files or the new ones, never some of each.

As k8s.io/kubernetes/pkg/volume/util/atomic_writer.go: the files are in a directory of their own, `..data` is
a link to it that is replaced in one step, and each name in the volume is a link through `..data`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kubetour.embedded.paths import private_directory
from kubetour.embedded.volumes import File

_DATA = "..data"


def write(directory: Path, files: Mapping[str, File]) -> None:
    """Bring a volume's directory to exactly these files."""
    private_directory(directory)
    made = Path(tempfile.mkdtemp(prefix="..", dir=directory))
    for path, file in files.items():
        target = made / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.data)
        target.chmod(file.mode)
    old = (directory / _DATA).resolve()
    link = directory / "..data_tmp"
    link.unlink(missing_ok=True)
    link.symlink_to(made.name)
    os.replace(link, directory / _DATA)
    _link_names(directory, {path.partition("/")[0] for path in files})
    if old.parent == directory.resolve() and old.name != _DATA:
        shutil.rmtree(old, ignore_errors=True)


def _link_names(directory: Path, names: set[str]) -> None:
    for present in directory.iterdir():
        if not present.name.startswith("..") and present.name not in names:
            present.unlink()
    for name in names:
        if not (directory / name).is_symlink():
            (directory / name).symlink_to(f"{_DATA}/{name}")
