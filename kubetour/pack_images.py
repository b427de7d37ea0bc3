"""The images of a pack: which ones the tour needs, out of an engine into files, and from files into one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kubetour import engines
from kubetour.causes import command_failed
from kubetour.engines import Engine
from kubetour.errors import EngineError
from kubetour.packs.manifest import Item, Left
from kubetour.runner import perform
from kubetour.script import shell
from kubetour.steps import Run
from kubetour.text import Text, tell
from kubetour.tools import Say

if TYPE_CHECKING:
    from invoke.context import Context

NODE_IMAGE = "kindest/node"
# kind names its default node image in the program: https://github.com/kubernetes-sigs/kind/blob/main/pkg/apis/config/defaults/image.go
_IN_KIND = re.compile(rb"kindest/node:v[0-9.]{1,20}@sha256:[0-9a-f]{64}")
LARGEST = 200 * 1000**2  # bytes of a program that is searched for it


@dataclass(frozen=True)
class Wanted:
    """An image to pack. One that was to be built is not pulled."""

    reference: str
    built: bool = False

    @property
    def name(self) -> str:
        """Return the name that it gets on the other side: a digest does not survive an archive."""
        name, _, digest = self.reference.partition("@")
        return name if ":" in name.rpartition("/")[2] or not digest else f"{name}:pack"


def bases(dockerfile: str, base: str = "") -> tuple[str, ...]:
    """Return the images that a Dockerfile starts from; `base` is its build argument BASE, if it is given.

    https://docs.docker.com/reference/dockerfile/#from
    """
    values, stages, found = {}, {"scratch"}, []
    for line in dockerfile.replace("\\\n", " ").splitlines():
        if argument := re.fullmatch(r"\s*ARG\s+(\w+)(?:=[\"']?([^\"'\s]*)[\"']?)?\s*", line, re.IGNORECASE):
            values[argument[1]] = argument[2] or ""
            if base and argument[1] == "BASE":
                values["BASE"] = base
        start = re.fullmatch(r"\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?\s*", line, re.IGNORECASE)
        if not start:
            continue
        image = re.sub(r"\$\{?(\w+)\}?", lambda name: values.get(name[1], ""), start[1])
        if image.lower() not in stages and image:
            found.append(image)
        stages.add((start[2] or "").lower())
    return tuple(dict.fromkeys(found))


def node_image(c: Context, engine: Engine, kind: str) -> str:
    """Return the node image that a kind takes by itself; else one that the engine has; else ""."""
    program = Path(kind)
    small = program.is_file() and program.stat().st_size < LARGEST
    if small and (found := _IN_KIND.search(program.read_bytes())):
        return found[0].decode()
    listed = Run((engine.name, "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", NODE_IMAGE))
    names = perform(c, listed).stdout.split()
    return next((name.removeprefix("docker.io/") for name in names if "<none>" not in name), "")


def save(
    c: Context, engine: Engine, wanted: Wanted, to: Path, say: Say, offline: bool, language: str
) -> str | Left:
    """Save an image into a file, pulled if it is not here, and return its ID; or why it cannot be packed."""
    if not _id(c, engine, wanted.reference):
        if wanted.built or offline:
            values = {"engine": engine.name}
            why = Text("pack.not-built", values) if wanted.built else Text("pack.not-here", values)
            return Left(wanted.reference, tell(language, why))
        say(Text("pack.pulling", {"image": wanted.reference}))
        pulled = perform(c, Run((engine.name, "pull", wanted.reference)))
        if pulled.status != 0:
            return Left(wanted.reference, _last(pulled.stderr))
    found = _id(c, engine, wanted.name)
    if not found:  # known by its digest alone
        perform(c, Run((engine.name, "tag", wanted.reference, wanted.name)))
    say(Text("pack.saving", {"image": wanted.name}))
    flags = engines.abilities(c, engine).save_flags
    to.parent.mkdir(exist_ok=True)
    saved = perform(c, Run((engine.name, "image", "save", *flags, "-o", str(to), wanted.name)))
    image = _id(c, engine, wanted.name)
    if not found:
        perform(c, Run((engine.name, "image", "rm", wanted.name)))
    if saved.status != 0:
        to.unlink(missing_ok=True)
        return Left(wanted.reference, _last(saved.stderr))
    return image


def load(c: Context, engine: Engine, item: Item, archive: Path) -> None:
    """Load an image from its file, and see that it is there; EngineError if not."""
    run = Run((engine.name, "image", "load", "-i", str(archive)))
    loaded = perform(c, run)
    if loaded.status != 0:
        raise command_failed(shell(run), engine.name, loaded)
    if not _id(c, engine, item.name):
        raise EngineError("pack-not-loaded", image=item.name, evidence=loaded.stdout.strip(), file=item.path)


def missing(c: Context, engine: Engine, items: tuple[Item, ...]) -> Iterator[Item]:
    """Yield the images that the engine does not have: one of that name that it has is never replaced."""
    yield from (item for item in items if not _id(c, engine, item.name))


def _id(c: Context, engine: Engine, reference: str) -> str:
    """Return an image's ID, or "" if the engine does not have it."""
    asked = perform(c, Run((engine.name, "image", "inspect", "--format", "{{.Id}}", reference)))
    return asked.stdout.strip() if asked.status == 0 else ""


def _last(said: str) -> str:
    return (said.strip().splitlines() or ["?"])[-1][:300]
