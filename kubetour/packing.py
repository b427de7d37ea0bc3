"""`inv pack`: the wheels, tools, images and lessons that the tour needs, in one file or directory."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubetour import __version__, buildcontext, engines, manifests, tools
from kubetour.engines import Engine
from kubetour.errors import KubetourError, ResourceError, ToolError, UsageError
from kubetour.pack_images import NODE_IMAGE, Wanted, bases, node_image, save
from kubetour.packs.first import WHEELS
from kubetour.packs.manifest import KINDS, LOCKS, Left, Manifest, locks, this_python
from kubetour.packs.writing import items, write
from kubetour.pins import pin, this_system
from kubetour.project import LESSONS, ROOT, STATE, caller
from kubetour.redact import redact
from kubetour.reference import in_registry
from kubetour.runner import perform
from kubetour.settings import Settings
from kubetour.settled import settled
from kubetour.steps import Run
from kubetour.terminal import console as consoles
from kubetour.text import Text, tell
from kubetour.tools import Say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoke.context import Context

_PROGRAMS = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")  # how a compiled program begins
_PIP = ("-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes")


@dataclass
class Packing:
    """A pack in the making: its directory, and what is known of it so far."""

    c: Context
    settings: Settings
    tree: Path
    say: Say
    named: dict[str, tuple[str, str]] = field(default_factory=dict)  # name and version, by path
    left: list[Left] = field(default_factory=list)
    choices: dict[str, str] = field(default_factory=dict)  # settings that go with it

    def wheels(self) -> None:
        """Have pip download what the lock files name; ToolError if it cannot."""
        self.say(Text("pack.wheels"))
        to = self.tree / KINDS["wheel"]
        offline = ("--no-index", "--find-links", str(WHEELS)) if self.settings.offline else ()
        files = [word for name in LOCKS for word in ("-r", name)]
        said = ""
        for python in dict.fromkeys((sys.executable, getattr(sys, "_base_executable", sys.executable))):
            done = perform(self.c, Run((python, *_PIP, *offline, "-d", str(to), *files)))
            if done.status == 0:
                return
            said = said if "No module named pip" in done.stderr else done.stderr
        raise ToolError("pack-wheels", evidence="\n".join(said.strip().splitlines()[-5:]))

    def tool(self, name: str) -> None:
        """Put in the pinned program or, where that cannot be had, the one that works here."""
        wanted, place = tools.programs()[name], tools.here(self.settings.offline)
        try:
            found = tools.obtain(wanted, place, self.say)
        except KubetourError as error:
            found, _ = error.explain(self.settings.language)
        version = wanted.version
        if isinstance(found, str):
            here, _ = tools.present(wanted, place)
            program = shutil.which(here.path) if here else None
            if not here or not program or Path(program).read_bytes()[:4] not in _PROGRAMS:
                self.leave(f"{name} {wanted.version}", found)
                return
            found, version = Path(os.path.realpath(program)), tools.PACKED
            self.say(Text("pack.own-tool", {"tool": name, "version": here.version, "pinned": wanted.version}))
        system = place.system.replace("/", "-")
        path = f"{KINDS['tool']}/{name}-{version}-{system}/{name}"
        (self.tree / path).parent.mkdir(parents=True)
        shutil.copyfile(found, self.tree / path)
        self.named[path] = (name, version)

    def images(self, engine: Engine) -> None:
        """Put in the images that the tour needs, as far as the engine has them or can pull them."""
        settings = self.settings
        context = buildcontext.read(ROOT / settings.app_dir, settings.app_dir, settings.base)
        dockerfile = (ROOT / settings.app_dir / "Dockerfile").read_text(encoding="utf-8", errors="replace")
        app = in_registry(buildcontext.with_tag(settings.image, context.tag), engine.speaks.local)
        wanted = [*map(Wanted, bases(dockerfile, settings.base)), Wanted(app, built=True)]
        nodes, default = self._nodes(engine) if settings.provider in ("auto", "kind") else ([], "")
        for number, image in enumerate((*wanted, *map(Wanted, nodes))):
            path = f"{KINDS['image']}/{number}.tar"
            to = self.tree / path
            saved = save(self.c, engine, image, to, self.say, settings.offline, settings.language)
            if isinstance(saved, Left):
                self.leave(saved.what, saved.why)
                continue
            self.named[path] = (image.name, saved)
            if image.reference == default:  # told to kind by name: it asks for its own by a digest
                self.choices["node_image"] = image.name
        if settings.base:
            self.choices["base"] = settings.base

    def _nodes(self, engine: Engine) -> tuple[list[str], str]:
        """Return the nodes' images, and the one of them that all nodes get which name none."""
        settings = self.settings
        config = manifests.load_kind_config(ROOT / settings.config, settings.config)
        named = {str(node.get("image") or "") for node in config["nodes"]}
        default = settings.node_image
        if not default and "" in named:
            ours = tools.kept(pin("kind"), tools.here(offline=True))
            program = ours if ours.exists() else shutil.which("kind")
            default = node_image(self.c, engine, str(program or ""))
            if not default:
                self.leave(NODE_IMAGE, tell(settings.language, Text("pack.no-node-image")))
        images = set() if settings.node_image else named
        return sorted(images.union({default}).difference({""})), default

    def lessons(self) -> None:
        """Put in the lessons: the teacher's own, where there are such, else this checkout's."""
        own = self.settings.lessons
        to = self.tree / KINDS["lesson"]
        to.mkdir()
        for file in (ROOT / own if own else LESSONS).glob("*.md"):
            shutil.copyfile(file, to / file.name)
        if own:
            self.choices["lessons"] = f"{STATE}/{KINDS['lesson']}"

    def leave(self, what: str, why: str) -> None:
        """Note what cannot be packed, and why."""
        self.left.append(Left(what, redact(why, os.path.expanduser("~"))))

    def manifest(self) -> Manifest:
        """Return what is in it."""
        made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        files = tuple(items(self.tree, self.named))
        where = (this_system(), this_python(), locks(ROOT))
        return Manifest(__version__, made, *where, self.choices, files, tuple(self.left))


def pack(c: Context, flags: Mapping[str, Any], output: str) -> None:
    """Make a pack; UsageError if there is something of that name, KubetourError if it would be of no use."""
    here = caller()
    with settled(c, {**flags, "host": ""}) as (_, resolved, _state):
        settings = resolved.settings
        out = consoles.make()

        def note(text: Text) -> None:
            out.print(tell(settings.language, text), soft_wrap=True)

        default = f"kubetour-pack-{this_system().replace('/', '-')}-python{this_python()}.tar"
        to = Path(os.path.abspath(here / (output or default)))
        if to.exists():
            raise UsageError("pack-there", path=str(to))
        engine = _engine(c, settings)
        with _tree(to) as tree:
            packing = Packing(c, settings, tree, note)
            packing.wheels()
            names = {"auto": ("kubectl", "kind"), "kind": ("kubectl", "kind")}
            names |= {"minikube": ("kubectl", "minikube")}
            for name in names.get(settings.provider, ("kubectl",)):
                packing.tool(name)
            if engine and not engine.trouble:
                packing.images(engine)
            elif engine:
                packing.leave(*_without(engine, settings))
            if settings.provider == "minikube":
                packing.leave("minikube", tell(settings.language, Text("pack.minikube")))
            packing.lessons()
            manifest = packing.manifest()
            write(tree, manifest, to)
        _tell(note, manifest, to)


def _engine(c: Context, settings: Settings) -> Engine | None:
    """Return the engine whose images are packed; None where the provider needs none."""
    if settings.provider == "embedded":
        return None
    found = engines.find(c, settings.engine)
    return found if settings.provider == "auto" else found.require()


def _without(engine: Engine, settings: Settings) -> tuple[str, str]:
    """Return that there are no images, and why."""
    why = tell(settings.language, Text(f"tour.why.{engine.trouble}", {"engine": engine.name}))
    return tell(settings.language, Text("pack.images")), why


@contextmanager
def _tree(to: Path) -> Iterator[Path]:
    """Yield a directory beside the pack, which is gone afterwards; ResourceError if nothing can be kept."""
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=to.parent, prefix=f".{to.name}."))
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise ResourceError("file-unwritable", path=str(to), reason=error.strerror or str(error)) from error


def _tell(note: Say, manifest: Manifest, to: Path) -> None:
    size = sum(item.size for item in manifest.files) / 1000**2
    counts = {f"{kind}s": len(manifest.of(kind)) for kind in KINDS}
    where = {"system": manifest.system, "python": manifest.python}
    note(Text("pack.done", {"path": str(to), "size": f"{size:.0f}", **counts, **where}))
    for left in manifest.left_out:
        note(Text("pack.left-out", {"what": left.what, "why": left.why}))
    note(Text("pack.next", {"file": to.name}))
