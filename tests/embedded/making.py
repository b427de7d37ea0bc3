"""Build contexts, images and stores for tests: a tiny program in shell, or what the machine's Node runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kubetour.embedded.builder import Builder
from kubetour.embedded.imagestore import Image, ImageStore


def context(directory: Path, files: dict[str, str]) -> Path:
    """Write files, by path, into a directory, and return it."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return directory


def build(
    root: Path, dockerfile: str, files: dict[str, str] | None = None, name: str = "app:1", **more: Any
) -> tuple[Image, list[str]]:
    """Build an image into the store below `root`; return it, and what the builder said."""
    said: list[str] = []
    directory = context(root / "context", {"Dockerfile": dockerfile, **(files or {})})
    arguments = more.pop("arguments", {})
    builder = Builder(ImageStore(root / "images"), said.append, **more)
    return builder.build(directory, directory / "Dockerfile", [name], arguments), said


def shell_image(root: Path, script: str, name: str = "app:1", more: str = "") -> Image:
    """Build an image whose program is a shell script, which runs in /app."""
    dockerfile = f'FROM scratch\nWORKDIR /app\nCOPY run.sh ./\n{more}\nENTRYPOINT ["sh", "run.sh"]\n'
    return build(root, dockerfile, {"run.sh": script}, name)[0]
