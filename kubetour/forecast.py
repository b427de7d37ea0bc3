"""Which provider a tour would take here, and why: as `choosing` decides it, but only from facts."""

from __future__ import annotations

from dataclasses import dataclass

from kubetour.daemons import Daemon
from kubetour.dialects import DIALECTS
from kubetour.engines import DRIVERS, Engine
from kubetour.machine import Machine
from kubetour.settings import Settings
from kubetour.text import Text


@dataclass(frozen=True)
class Forecast:
    """The provider, the engine that it uses (embedded uses none), and the reason in one line."""

    provider: str
    daemon: Daemon | None
    reason: Text


def forecast(machine: Machine, settings: Settings) -> Forecast:
    """Return what a tour with these settings would take, or fail for the lack of."""
    asked = settings.provider
    if settings.context and asked == "auto":
        asked = "context"
    if asked == "embedded":
        return Forecast(asked, None, Text("tour.chosen", {"provider": asked}))
    daemon = first(machine, settings.engine)
    if asked != "auto":
        return Forecast(asked, daemon, Text("tour.chosen", {"provider": asked}))
    engine = daemon.engine
    if engine.trouble:
        return _auto("embedded", daemon, Text(f"tour.why.{engine.trouble}", {"engine": engine.name}))
    if not machine.kind.found and settings.offline:
        if machine.minikube.found and engine.name in DRIVERS:
            why = Text("tour.why.minikube", {"engine": f"{engine.name} {engine.version}"})
            return _auto("minikube", daemon, why)
        return _auto("embedded", daemon, Text("tour.why.no-kind", {"engine": engine.name}))
    return _auto("kind", daemon, Text("tour.why.engine", {"engine": f"{engine.name} {engine.version}"}))


def first(machine: Machine, wanted: str) -> Daemon:
    """Return the engine of that name; for `auto` the first that works, else the first that is there."""
    daemons = [daemon for daemon in machine.daemons if wanted in ("auto", daemon.engine.name)]
    works = [daemon for daemon in daemons if not daemon.engine.trouble]
    absent = Daemon(Engine(next(iter(DIALECTS)) if wanted == "auto" else wanted, "engine-absent"))
    return next(iter([*works, *daemons, absent]))


def _auto(provider: str, daemon: Daemon, why: Text) -> Forecast:
    return Forecast(provider, daemon, Text("tour.auto", {"provider": provider, "why": why}))
