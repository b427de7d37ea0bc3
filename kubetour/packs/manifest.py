"""pack.json: what is in a pack, for which machines it was made, and what could not be packed."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kubetour.errors import IntegrityError, UsageError
from kubetour.pins import this_system

NAME = "pack.json"
FORM = 1  # grows when a field is removed or means something else, not when one is added
LOCKS = ("requirements.lock", "requirements-node.lock")
KINDS = {"wheel": "wheels", "tool": "tools", "image": "images", "lesson": "lessons"}  # and their directories
SETTINGS = ("base", "lessons", "node_image")  # those that may come with a pack: no others, such as a host
LARGEST = 1 << 20  # bytes of pack.json


@dataclass(frozen=True)
class Item:
    """A file of a pack. `name` and `version` are a tool's, or an image's reference and its ID."""

    path: str
    kind: str
    size: int
    sha256: str
    name: str = ""
    version: str = ""


@dataclass(frozen=True)
class Left:
    """What could not be packed, and why."""

    what: str
    why: str


@dataclass(frozen=True)
class Manifest:
    """All of pack.json. `locks` is the SHA-256 of the lock files that the wheels were chosen by."""

    kubetour: str
    made: str
    system: str
    python: str
    locks: str
    settings: Mapping[str, str]
    files: tuple[Item, ...]
    left_out: tuple[Left, ...] = ()

    def of(self, kind: str) -> tuple[Item, ...]:
        """Return the files of a kind."""
        return tuple(item for item in self.files if item.kind == kind)

    def to_json(self) -> str:
        """Return it as the text of pack.json."""
        return json.dumps({"version": FORM, **asdict(self)}, indent=2, ensure_ascii=False) + "\n"


def parse(text: bytes) -> Manifest:
    """Return what pack.json says; IntegrityError if that is not as it must be, UsageError if it is newer."""
    try:
        said = json.loads(text)
        form = said.pop("version")
        if isinstance(form, int) and form > FORM:
            raise UsageError("pack-newer", found=form, known=FORM)
        files = tuple(_item(item) for item in said["files"])
        left = tuple(Left(_text(each["what"]), _text(each["why"])) for each in said["left_out"])
        names = ("kubetour", "made", "system", "python", "locks")
        settings = {_text(key): _text(value) for key, value in said["settings"].items()}
        if unknown := set(settings).difference(SETTINGS):
            raise ValueError(f"no setting of a pack: {min(unknown)!r}")
        kubetour, made, system, python, wheels = (_printable(said[name]) for name in names)
        manifest = Manifest(kubetour, made, system, python, wheels, settings, files, left)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise IntegrityError("pack-manifest", reason=f"{type(error).__name__}: {error}"[:200]) from None
    if len({item.path for item in files}) != len(files):
        raise IntegrityError("pack-manifest", reason="a file is named twice")
    return manifest


def require_fit(manifest: Manifest, root: Path) -> None:
    """Raise UsageError unless a pack is for this system, this Python and this version of the project."""
    if manifest.system != this_system():
        raise UsageError("pack-system", pack=manifest.system, here=this_system())
    if manifest.python != this_python():
        raise UsageError("pack-python", pack=manifest.python, here=this_python())
    if manifest.locks != locks(root):
        raise UsageError("pack-locks", pack=manifest.kubetour)


def this_python() -> str:
    """Return the Python that wheels are for: 3.11."""
    return ".".join(platform.python_version_tuple()[:2])


def locks(root: Path) -> str:
    """Return the SHA-256 of a checkout's lock files, one after another."""
    return hashlib.sha256(b"".join((root / name).read_bytes() for name in LOCKS)).hexdigest()


def _item(said: Any) -> Item:
    item = Item(**{name: said[name] for name in Item.__dataclass_fields__})
    first, *rest = _text(item.path).split("/")
    if first != KINDS[item.kind] or not rest or any(part in ("", ".", "..") for part in rest):
        raise ValueError(f"no path of a pack's {item.kind}: {item.path!r}")
    if "\\" in _printable(item.path):
        raise ValueError(f"no name for a file: {item.path!r}")
    if type(item.size) is not int or item.size < 0 or not re.fullmatch("[0-9a-f]{64}", item.sha256):
        raise ValueError(f"{item.path}: no size or SHA-256")
    if any(_printable(text).startswith("-") for text in (item.name, item.version)):
        raise ValueError(f"{item.path}: a name like a flag")
    return item


def _printable(value: Any) -> str:
    """Return a text that may be shown as it is; ValueError if a terminal would obey it."""
    text = _text(value)
    if not text.isprintable():
        raise ValueError(f"not printable: {text!r}"[:100])
    return text


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not a text: {value!r}"[:100])
    return value
