"""Dockerfile and build context -> image, without a container engine: every instruction but RUN.

Each instruction is one entry of the history, and each that changes files one layer. What is unchanged comes
from the cache, times included, so that building twice gives one image ID.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from kubetour.embedded import base, buildargs, context, copying, dockerfile, layer, reference, shellwords
from kubetour.embedded.buildcache import BuildCache
from kubetour.embedded.configuration import HANDLERS
from kubetour.embedded.context import Context, CopyError
from kubetour.embedded.dockerfile import Dockerfile, Instruction
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.imagestore import CONTENT_SIZE, Image, ImageStore
from kubetour.embedded.machine import architecture, operating_system
from kubetour.embedded.units import human_size

Say = Callable[[str], None]


def _now() -> datetime:
    """Return the time, or the one that makes a build reproducible (reproducible-builds.org)."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(epoch), timezone.utc) if epoch.isdigit() else datetime.now(timezone.utc)


@dataclass
class _Stage:
    """The image so far."""

    config: dict[str, Any]
    key: str
    layers: list[dict[str, Any]]
    diff_ids: list[str]
    history: list[dict[str, Any]]
    present: dict[str, bool] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    has_command: bool = False  # a CMD of this file, not of the base
    borrowed: str = ""  # the base's name, where it stands for this machine's programs

    def variables(self) -> dict[str, str]:
        """Return what `$NAME` means: build arguments, and over them the image's own environment."""
        environment = dict(item.partition("=")[::2] for item in self.config.get("Env") or [])
        return {**self.arguments, **environment}


class Builder:
    """Builds into one image store; `say` is given a line for each step."""

    def __init__(
        self,
        store: ImageStore,
        say: Say,
        now: Callable[[], datetime] = _now,
        *,
        use_cache: bool = True,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self._store, self._say, self._now, self._labels = store, say, now, labels
        self._cache = BuildCache(store.directory)
        self._remembered = self._cache.entries() if use_cache else {}
        self._new: dict[str, dict[str, Any]] = {}

    def build(self, directory: Path, file: Path, names: list[str], arguments: Mapping[str, str]) -> Image:
        """Build the Dockerfile's last stage, label and name it; EmbeddedError says what is wrong."""
        full = [str(reference.parse(name)) for name in names]
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise EmbeddedError(
                f"cannot read the Dockerfile {file}: {error}; name another one with -f"
            ) from error
        if not directory.is_dir():
            raise EmbeddedError(
                f"the build context {directory} is no directory; give the one that COPY reads from"
            )
        parsed = dockerfile.parse(text, _shown(file))
        with self._store.writing():
            return self._build(parsed, Context(directory), full, dict(arguments))

    def _build(self, parsed: Dockerfile, files: Context, names: list[str], given: dict[str, str]) -> Image:
        stages: dict[str, _Stage] = {}
        stage: _Stage | None = None
        unused = dict.fromkeys(given)
        global_arguments: dict[str, str] = {}
        for number, instruction in enumerate(parsed.instructions, 1):
            counter = f"[{number}/{len(parsed.instructions)}] "
            try:
                if instruction.keyword == "FROM":
                    stage = self._from(instruction, parsed, global_arguments, stages, counter)
                elif instruction.keyword == "ARG":
                    scope = global_arguments if stage is None else stage.arguments
                    known = global_arguments if stage is None else stage.variables()
                    declared = buildargs.declared(instruction, known, given, global_arguments, parsed.escape)
                    scope.update({name: value for name, value in declared.items() if value is not None})
                    for name in declared:
                        unused.pop(name, None)
                    self._say(f"{counter}{instruction}")
                elif stage is not None:
                    self._step(stage, instruction, files, parsed, counter)
            except (shellwords.BadWordError, CopyError) as error:
                raise instruction.error(str(error)) from error
        left = [name for name in unused if name.upper() not in buildargs.PREDEFINED]
        if left:
            self._say(f"warning: build arguments that no ARG asks for were not used: {', '.join(left)}")
        if stage is None:
            raise AssertionError("the parser lets no Dockerfile without FROM pass")
        if missing := _missing(stage):
            raise EmbeddedError(
                f"the program {missing!r} is neither in the image nor on this machine's PATH, and nothing is "
                f"pulled: FROM {stage.borrowed} stands for this machine here. Install the program, COPY it "
                f"into the image, or build with a container engine (kind)"
            )
        if self._labels:
            stage.config["Labels"] = {**(stage.config.get("Labels") or {}), **self._labels}
        return self._finish(stage, names)

    def _from(
        self,
        instruction: Instruction,
        parsed: Dockerfile,
        arguments: dict[str, str],
        stages: dict[str, _Stage],
        counter: str,
    ) -> _Stage:
        words = shellwords.split(instruction.text, arguments, parsed.escape)
        if len(words) not in (1, 3) or (len(words) == 3 and words[1].upper() != "AS"):
            raise instruction.error("has the form FROM IMAGE or FROM IMAGE AS NAME; is an ARG empty?")
        name = words[0]
        if not name:
            raise instruction.error("the image name is empty; give the ARG it comes from a default")
        earlier = stages.get(name.lower())
        if earlier:
            stage = _Stage(
                dict(earlier.config),
                earlier.key,
                [*earlier.layers],
                [*earlier.diff_ids],
                [*earlier.history],
                dict(earlier.present),
                borrowed=earlier.borrowed,
            )
            note = "the stage above"
        else:
            try:
                start = base.resolve(name, self._store)
            except EmbeddedError as error:
                raise instruction.error(str(error)) from error
            stage = _Stage(
                dict(start.config), _key("", start.key), start.layers, start.diff_ids, start.history
            )
            stage.borrowed = name if start.borrowed else ""
            note = start.note
            for descriptor in start.layers:
                stage.present.update(layer.paths(self._store.blob(descriptor["digest"])))
            if not start.history:
                created = self._created(stage.key)
                stage.history = [
                    {"created": created, "created_by": f"FROM {name}", "comment": note, "empty_layer": True}
                ]
        self._say(f"{counter}FROM {name}: {note}")
        if len(words) == 3:
            stages[words[2].lower()] = stage
        return stage

    def _step(
        self, stage: _Stage, instruction: Instruction, files: Context, parsed: Dockerfile, counter: str
    ) -> None:
        keyword, variables = instruction.keyword, stage.variables()
        entries: list[layer.Entry] | None = None
        shown = str(instruction)
        if keyword in ("COPY", "ADD"):
            entries = copying.entries(
                instruction, variables, parsed.escape, files, stage.config, stage.present
            )
        elif keyword == "WORKDIR":
            path = shellwords.expand(instruction.text, variables, parsed.escape)
            path = posixpath.normpath(posixpath.join("/", stage.config.get("WorkingDir") or "/", path))
            stage.config["WorkingDir"] = path
            parts = path.strip("/").split("/")
            entries = (
                context.directories(
                    ("/".join(parts[:end]) for end in range(1, len(parts) + 1)), stage.present
                )
                or None
            )
            shown = f"WORKDIR {path}"
        else:
            shown = HANDLERS[keyword](instruction, stage.config, variables, parsed.escape) or shown
            stage.has_command = stage.has_command or keyword == "CMD"
            if keyword == "ENTRYPOINT" and not stage.has_command:
                stage.config.pop("Cmd", None)  # the base's CMD belongs to the base's entrypoint
        content = context.digest(entries) if entries is not None else ""
        stage.key = _key(stage.key, f"{shown}\0{content}")
        cached = self._lookup(stage.key)
        made = cached["layer"] if cached else self._layer(entries)
        created = cached["created"] if cached else self._created(stage.key)
        record = {"created": created, "created_by": shown}
        if made:
            stage.layers.append(made)
            stage.diff_ids.append(made["digest"])
            stage.present.update({entry.path: _is_directory(entry) for entry in entries or ()})
        else:
            record["empty_layer"] = True
        stage.history.append(record)
        if not cached:
            self._new[stage.key] = {"created": created, "layer": made}
        size = f"  {human_size(int(made['annotations'][CONTENT_SIZE]))}" if made else ""
        self._say(f"{'CACHED ' if cached else ''}{counter}{shown}{size}")

    def _layer(self, entries: list[layer.Entry] | None) -> dict[str, Any] | None:
        if entries is None:
            return None
        made = self._store.put_layer(entries)
        return {
            "mediaType": layer.MEDIA_TYPE,
            "digest": made.digest,
            "size": made.size,
            "annotations": {CONTENT_SIZE: str(made.content_size)},
        }

    def _lookup(self, key: str) -> dict[str, Any] | None:
        found = self._remembered.get(key)
        if found and found.get("layer") and not self._store.blob(found["layer"]["digest"]).exists():
            return None
        return found

    def _created(self, key: str) -> str:
        """Return when a step was first done."""
        if key not in self._remembered and key not in self._new:
            self._new[key] = {"created": self._now().isoformat().replace("+00:00", "Z"), "layer": None}
        found: str = (self._remembered.get(key) or self._new[key])["created"]
        return found

    def _finish(self, stage: _Stage, names: list[str]) -> Image:
        config = {
            "architecture": architecture(),
            "os": operating_system(),
            "created": max(str(record["created"]) for record in stage.history),
            "config": {key: value for key, value in stage.config.items() if value},
            "rootfs": {"type": "layers", "diff_ids": stage.diff_ids},
            "history": stage.history,
        }
        self._cache.remember(self._new)
        digest = self._store.put_image(config, stage.layers)
        for name in names:
            self._store.tag(digest, name)
        manifest = self._store.read_json(digest)
        image = Image(manifest["config"]["digest"], digest, manifest, config, tuple(names))
        self._say(f"image {image.id}")
        for name in image.familiar_names:
            self._say(f"named {name}")
        return image


def _missing(stage: _Stage) -> str:
    """Return the program that the image starts, if it is to come from this machine and is not there."""
    words = [*(stage.config.get("Entrypoint") or []), *(stage.config.get("Cmd") or [])]
    if not stage.borrowed or not words:
        return ""
    first = str(words[0])
    inside = posixpath.join(stage.config.get("WorkingDir") or "/", first) if "/" in first else ""
    if posixpath.normpath(inside).lstrip("/") in stage.present:
        return ""
    copied = any(posixpath.basename(path) == first for path in stage.present)  # into a directory on its PATH
    return "" if copied or base.find_program(posixpath.basename(first)) else first


def _is_directory(entry: layer.Entry) -> bool:
    return entry.source is None and not entry.link


def _key(parent: str, step: str) -> str:
    return hashlib.sha256(f"{parent}\0{step}".encode("utf-8", "surrogateescape")).hexdigest()


def _shown(file: Path) -> str:
    try:
        return str(file.relative_to(Path.cwd()))
    except ValueError:
        return str(file)
