"""The clean slate: what was there before the first thing was made, and what is left after `down`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from kubetour import sighting
from kubetour.dialects import DIALECTS
from kubetour.errors import KubetourError, LeftoverError
from kubetour.inventory import Leftover, Thing, leftovers
from kubetour.project import STATE
from kubetour.runner import perform
from kubetour.session import Session
from kubetour.steps import Run, Step
from kubetour.text import Text

if TYPE_CHECKING:
    from invoke.context import Context

GRACE, ROUND = 5.0, 0.2  # seconds that what was ended may take to be gone, and between two looks at it
Sockets = set[tuple[int, str]]
Engines = dict[str, tuple[str, ...]]

KINDS = {
    "container": Text("left.container"),
    "network": Text("left.network"),
    "volume": Text("left.volume"),
    "image": Text("left.image"),
    "cluster": Text("left.cluster"),
    "namespace": Text("left.namespace"),
    "secret": Text("left.secret"),
    "object": Text("left.object"),
    "process": Text("left.process"),
    "port": Text("left.port"),
    "kubeconfig": Text("left.kubeconfig"),
    "file": Text("left.file"),
}


def begin(c: Context, session: Session, steps: tuple[Step, ...]) -> None:
    """Keep what is there, if these steps are going to make the first thing."""
    if session.state.created() or not any(step.creates or step.brings for step in steps):
        return
    found: list[Thing] = []
    for look in _made_elsewhere(c, session, set()):
        with suppress(KubetourError):  # what does not answer will soon say so itself
            found += look()
    session.state.begin_slate(thing.key for thing in found)


def note(c: Context, session: Session, steps: tuple[Step, ...]) -> Sockets:
    """Keep what these steps, which remove things, will take along; return the sockets that listen for it."""
    session.state.note(*(entry for step in steps for entry in step.removes))
    ledger, ports = _ledger(session), set[int]()
    for name, engine in _engines(session, ledger).items():
        if name == "embedded":
            continue
        for each in sighting.containers(c, engine):
            if sighting.entry_of(each, name) in ledger:
                session.state.note(*(f"{name}-volume/{volume}" for volume in sighting.volumes_of(each)))
                ports |= sighting.ports_of(each)
    pids = sighting.processes(c, session.host.root)
    return sighting.sockets(c, ports, pids)


def check(
    c: Context, session: Session, listened: Sockets, clock: Callable[[], float] = time.monotonic
) -> Text:
    """Return that nothing is left, with what was looked at; LeftoverError for what is.

    `listened` is what `note` returned. KubetourError if something cannot be looked at.
    """
    ledger, before = _ledger(session), session.state.before()
    deadline = clock() + GRACE
    while left := leftovers(before, _things(c, session, ledger, listened), ledger):
        if clock() > deadline:
            raise _error(left)
        time.sleep(ROUND)
    session.state.end_slate()
    engines = ", ".join(_engines(session, ledger)) or "–"
    return Text(
        "left.nothing" if session.host.system.startswith("linux/") else "left.nothing-but",
        {"engines": engines},
    )


def _error(left: list[Leftover]) -> LeftoverError:
    error = LeftoverError("left-behind", count=len(left))
    error.causes = tuple(
        Text("left.item", {"kind": KINDS[each.kind], "name": each.name, "remove": each.remove})
        for each in left
    )
    return error


def _ledger(session: Session) -> set[str]:
    return {*session.state.made(), *session.state.created()}


def _engines(session: Session, ledger: set[str]) -> Engines:
    """Return how the engines are called that have, or had, something of ours."""
    provider = session.provider
    names = [name for name in (*DIALECTS, "embedded") if any(e.startswith(f"{name}-") for e in ledger)]
    if provider.owns_cluster:
        names.append(provider.engine_name)
    elsewhere = any(entry.startswith(("kind-cluster/", "minikube-cluster/")) for entry in ledger)
    if elsewhere and not set(names).intersection(DIALECTS):
        names.append("docker")  # its nodes are containers of some engine, and that is the one by default
    known = {
        provider.engine_name: provider.engine,
        "embedded": (provider.tools.python, "-m", "kubetour.embedded"),
    }
    return {name: known.get(name, (name,)) for name in dict.fromkeys(names)}


def _things(c: Context, session: Session, ledger: set[str], listened: Sockets) -> Iterator[Thing]:
    host = session.host
    for look in _made_elsewhere(c, session, ledger):
        yield from look()
    running = sighting.processes(c, host.root)
    for pid, words in running.items():
        yield Thing("process", f"{pid} {words}", ours=True, remove=f"kill {pid}")
    for port in sorted(
        {port for port, _ in listened & sighting.sockets(c, {p for p, _ in listened}, running)}
    ):
        yield Thing("port", str(port), ours=True, remove=f"ss -ltnp 'sport = :{port}'")
    yield from sighting.files(c, f"{host.root}/{STATE}", ledger)
    if host.name:
        if _is_there(c, host.root):
            yield Thing("file", f"{host.name}:{host.root}", ours=True, remove="./inv down")
        for path in session.state.place.glob("*.kubeconfig"):
            yield Thing("file", str(path), ours=True, remove=f"rm {path}")


def _made_elsewhere(
    c: Context, session: Session, ledger: set[str]
) -> Iterator[Callable[[], Iterable[Thing]]]:
    """Yield what looks where others make things, too."""
    provider, host = session.provider, session.host
    stays = not host.name or _is_there(c, host.root)  # else what was brought there is gone
    for name, engine in _engines(session, ledger).items():
        if name != "embedded":
            yield partial(sighting.of_engine, c, engine, name, ledger)
        elif stays:
            yield partial(sighting.of_embedded, c, engine)
    kubectl = provider.tools.kubectl
    if stays or "/" not in kubectl:
        named = dict(_contexts(ledger))
        yield partial(sighting.contexts, c, kubectl, named)
        yield partial(sighting.objects, c, kubectl, ledger)
        if ledger and not provider.owns_cluster:
            words = (word for word in provider.kubectl().argv if isinstance(word, str))
            yield partial(sighting.labelled, c, tuple(words), provider.settings.name)


def _contexts(ledger: set[str]) -> Iterator[tuple[str, str]]:
    """Yield what the contexts of the ledger's clusters would be called, and the clusters' entries."""
    for entry in ledger:
        kind, _, name = entry.partition("/")
        if kind.endswith("-cluster"):
            yield (name if kind == "minikube-cluster" else f"{kind.removesuffix('-cluster')}-{name}"), entry


def _is_there(c: Context, path: str) -> bool:
    return perform(c, Run(("test", "-e", path))).status == 0
