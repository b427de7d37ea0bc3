"""Apps that are not our own, as the tour must take them: what each is, and what it tells of who answered."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class App:
    """An app: the image it is built from, its port, by which way it tells who answered, and what is noted."""

    name: str
    base: str
    port: int
    way: str
    noted: tuple[str, ...] = ()  # steps that have something to say beside their proof

    def copy(self, directory: Path) -> Path:
        """Put the app into a directory of its own, beside the project."""
        return Path(shutil.copytree(HERE / self.name, directory / self.name))


HITS = ("hit-pod", "hit-inside", "hit", "hit-again", "hit-all")
APPS = (
    App("python", "python:3-slim", 8000, "header", ("container-logs",)),
    App("perl", "perl:5-slim", 7000, "log", ("app", "hit-container", *HITS)),
    App("static", "busybox:1", 8080, "", ("hit-container", "container-logs", *HITS)),
)
PROGRAMS = {"python": "python3", "perl": "perl", "static": "busybox"}


def missing(app: App) -> bool:
    """Return whether this machine lacks the program that the app is run by."""
    return not shutil.which(PROGRAMS[app.name])
