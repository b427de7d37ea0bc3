"""A checkout of one's own, for tests and benchmarks: the parts of the project that a tour needs."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARTS = (
    "Dockerfile",
    ".dockerignore",
    "app",
    "kind-config.yaml",
    "kubetour",
    "lessons",
    "tasks.py",
    "templates",
)


def copy_project(directory: Path) -> None:
    """Copy them into a directory that exists, without what Python has compiled."""
    for part in PARTS:
        source, target = ROOT / part, directory / part
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
