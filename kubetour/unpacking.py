"""`inv unpack`: what is in a pack goes where the project looks for it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from kubetour import engines, pack_images, tools
from kubetour.engines import Engine
from kubetour.errors import IntegrityError
from kubetour.packs.first import WHEELS
from kubetour.packs.manifest import Item, Manifest, require_fit
from kubetour.packs.reading import check, opened, place, sha256
from kubetour.project import LESSONS, ROOT, STATE, caller
from kubetour.settings import Settings
from kubetour.settled import settled
from kubetour.state import State
from kubetour.terminal import console as consoles
from kubetour.text import Text, tell
from kubetour.tools import Say

if TYPE_CHECKING:
    from invoke.context import Context

PACKED_LESSONS = ROOT / STATE / "lessons"


def unpack(c: Context, flags: Mapping[str, Any], file: str) -> None:
    """Check a whole pack, then put away what is in it; what is here already is left as it is."""
    path = caller() / file
    with settled(c, {**flags, "host": ""}) as (_, resolved, state), state.lock():
        settings = resolved.settings
        out = consoles.make()

        def note(text: Text) -> None:
            out.print(consoles.harmless(tell(settings.language, text)), soft_wrap=True)

        manifest = check(path)
        require_fit(manifest, ROOT)
        _require_pinned(manifest)
        engine, absent = _images(c, manifest, settings, note)
        placed = _place(c, path, engine, absent, note)
        _keep(state, manifest)
        _tell(note, manifest, placed)


def _require_pinned(manifest: Manifest) -> None:
    """Raise IntegrityError if a tool says that it is the pinned one, and is another."""
    for item in manifest.of("tool"):
        wanted = tools.programs().get(item.name)
        if wanted is None:
            raise IntegrityError("pack-member", file=item.path)
        figure = wanted.sha256.get(manifest.system, item.sha256)
        if item.version == wanted.version and item.sha256 != figure:
            raise IntegrityError("pack-tampered", file=item.path)


def _images(
    c: Context, manifest: Manifest, settings: Settings, note: Say
) -> tuple[Engine | None, frozenset[str]]:
    """Return the engine that images go into, and the paths of those that it does not have."""
    images = manifest.of("image")
    if not images:
        return None, frozenset()
    engine = engines.find(c, settings.engine)
    if engine.trouble:
        note(Text("unpack.no-engine", {"why": Text(f"tour.why.{engine.trouble}", {"engine": engine.name})}))
        return None, frozenset()
    absent = frozenset(item.path for item in pack_images.missing(c, engine, images))
    for item in images:
        if item.path not in absent:
            note(Text("unpack.image-here", {"image": item.name}))
    return engine, absent


def _place(
    c: Context, path: Path, engine: Engine | None, absent: frozenset[str], note: Say
) -> dict[str, list[bool]]:
    """Put every file where it belongs; return, by kind, of each whether it was not there yet."""
    placed: dict[str, list[bool]] = {"wheel": [], "tool": [], "image": [], "lesson": []}
    with opened(path) as (manifest, files):
        for item, source in files:
            if item.kind == "image":
                if engine and item.path in absent:
                    _load(c, engine, item, source, note)
                    placed["image"].append(True)
                continue
            to = _where(item)
            own = "lessons" in manifest.settings  # a directory that is used as a whole
            new = (own or not _is_same_lesson(item)) and place(item, source, to)
            placed[item.kind].append(new)
            if item.kind == "tool":
                key = "unpack.tool" if new else "unpack.tool-here"
                note(Text(key, {"tool": item.name, "path": str(to)}))
    return placed


def _where(item: Item) -> Path:
    """Return where a file belongs. Of its own path only the last part has a say, but for lessons."""
    if item.kind == "wheel":
        return WHEELS / item.path.rpartition("/")[2]
    if item.kind == "tool":
        wanted = tools.programs()[item.name]
        version = wanted.version if item.version == wanted.version else tools.PACKED
        return tools.kept(wanted, tools.here(offline=True), version)
    return PACKED_LESSONS / item.path.partition("/")[2]


def _is_same_lesson(item: Item) -> bool:
    """Return whether this checkout has the same lesson: then there is no need for another."""
    own = LESSONS / item.path.partition("/")[2]
    return item.kind == "lesson" and own.is_file() and sha256(own) == item.sha256


def _load(c: Context, engine: Engine, item: Item, source: IO[bytes], note: Say) -> None:
    note(Text("unpack.loading", {"image": item.name, "engine": engine.name}))
    with tempfile.TemporaryDirectory(dir=ROOT / STATE, prefix="unpack-") as directory:
        archive = Path(directory) / "image.tar"
        place(item, source, archive)
        pack_images.load(c, engine, item, archive)


def _keep(state: State, manifest: Manifest) -> None:
    """Let the next commands start from the settings that belong to what was packed."""
    state.keep_packed(dict(manifest.settings))


def _tell(note: Say, manifest: Manifest, placed: Mapping[str, list[bool]]) -> None:
    for kind in ("wheel", "image"):
        values = {"count": len(manifest.of(kind)), "new": sum(placed[kind])}
        if values["count"]:
            note(Text(f"unpack.{kind}s", values))
    if any(placed["lesson"]):
        note(Text("unpack.lessons", {"path": str(PACKED_LESSONS.relative_to(ROOT))}))
    for left in manifest.left_out:
        note(Text("pack.left-out", {"what": left.what, "why": left.why}))
    note(Text("unpack.next"))
