"""What `doctor` says of a machine, line by line; pure."""

from __future__ import annotations

from collections.abc import Iterator

from kubetour.codes import coded
from kubetour.daemons import Daemon
from kubetour.dialects import DIALECTS
from kubetour.errors import KubetourError
from kubetour.forecast import Forecast, forecast
from kubetour.machine import Host, Machine, Program
from kubetour.pins import pin
from kubetour.proofs.common import human_size
from kubetour.settings import Settings
from kubetour.terminal.console import harmless
from kubetour.text import Text, say, tell
from kubetour.traps import Found, Severity

THERE, ABSENT, FIX, MORE = "✓", "–", "  →", " "  # what a line begins with, besides the marks of traps
ASCII = str.maketrans("✓✗·–→│", "+x-->|")  # the same for a terminal that knows no other
UNKNOWN = "?"
MOST_EVIDENCE = 3  # lines of what a broken engine says
Line = tuple[str, Text | str]


def findings(
    machine: Machine,
    settings: Settings,
    found: tuple[Found, ...],
    errors: list[KubetourError],
    created: tuple[str, ...],
    language: str,
) -> Iterator[str]:
    """Yield what was found, what stands in the way, and what a tour would take. `created`: the ledger."""
    plan = forecast(machine, settings)
    stops = bool(errors) or any(item.severity is Severity.STOPS for item in found)
    sections: tuple[tuple[str, Iterator[Line]], ...] = (
        (say(language, "doctor.host"), _host(machine.host)),
        (say(language, "doctor.engines"), _engines(machine)),
        (say(language, "doctor.programs"), _programs(machine, settings, plan)),
        (say(language, "doctor.traps"), _traps(found, errors, language)),
        (say(language, "doctor.tour"), _tour(machine, settings, plan, stops, created)),
    )
    for index, (heading, lines) in enumerate(sections):
        said = [heading, *(f"{mark} {_told(language, text)}" for mark, text in lines)]
        for line in [""] * bool(index) + said:
            yield harmless(line if machine.host.speaks_unicode else line.translate(ASCII))


def _told(language: str, text: Text | str) -> str:
    return tell(language, text) if isinstance(text, Text) else text


def _host(host: Host) -> Iterator[Line]:
    names = {"system": host.system, "release": host.release}
    yield THERE, Text("doctor.host.facts", {**names, "processor": host.processor, "python": host.python})
    sizes = {"memory": _size(host.memory), "available": _size(host.available), "disk": _size(host.disk)}
    yield MORE, Text("doctor.host.sizes", {"cpus": host.cpus or UNKNOWN, **sizes})
    if host.cgroup:
        inotify = {"instances": host.instances or UNKNOWN, "watches": host.watches or UNKNOWN}
        yield MORE, Text("doctor.host.kernel", {"cgroup": host.cgroup, **inotify})


def _engines(machine: Machine) -> Iterator[Line]:
    if not machine.daemons:
        yield ABSENT, Text("doctor.engine.none", {"names": ", ".join(DIALECTS)})
    for daemon in machine.daemons:
        engine = daemon.engine
        if engine.trouble:
            why = Text(f"doctor.why.{engine.trouble}")
            values = {"name": engine.name, "path": daemon.path, "why": why}
            yield Severity.BREAKS.value, Text("doctor.engine.trouble", values)
            for line in engine.evidence.splitlines()[:MOST_EVIDENCE]:
                yield MORE, Text("doctor.said", {"line": line})
            continue
        values = {"name": engine.name, "version": engine.version, "path": daemon.path}
        yield THERE, Text("doctor.engine.facts", values)
        yield MORE, _details(daemon)


def _details(daemon: Daemon) -> Text:
    kinds = {
        "Docker Desktop": daemon.desktop,
        "rootless": daemon.rootless,
        "containerd": daemon.containerd_store,
    }
    store = ", ".join([daemon.store or UNKNOWN, *(kind for kind, holds in kinds.items() if holds)])
    values = {"store": store, "cgroup": daemon.cgroup or UNKNOWN, "driver": daemon.cgroup_driver or UNKNOWN}
    sizes = {"cpus": daemon.cpus or UNKNOWN, "memory": _size(daemon.memory)}
    return Text("doctor.engine.details", {**values, **sizes})


def _programs(machine: Machine, settings: Settings, plan: Forecast) -> Iterator[Line]:
    kind_wanted = plan.daemon is not None and (not plan.daemon.engine.trouble or plan.provider == "kind")
    yield _downloaded("kubectl", machine.kubectl, settings.offline)
    if kind_wanted or machine.kind.found:
        yield _downloaded("kind", machine.kind, settings.offline)
    else:
        yield ABSENT, Text("doctor.program.unneeded", {"name": "kind"})
    if plan.provider == "minikube" or machine.minikube.found:
        yield _downloaded("minikube", machine.minikube, settings.offline)
    for name, program in (("node", machine.node), ("curl", machine.curl)):
        if program.found:
            yield _found(name, program)
        elif program.passed_over:
            yield Severity.BREAKS.value, Text("doctor.program.broken", {"name": name})
        elif name == "node" and plan.provider != "embedded":
            yield ABSENT, Text("doctor.program.unneeded", {"name": name})
        else:
            yield ABSENT, Text("doctor.program.absent", {"name": name})


def _downloaded(name: str, program: Program, offline: bool) -> Line:
    if program.found:
        return _found(name, program)
    if offline:
        return ABSENT, Text("doctor.program.offline", {"name": name})
    return ABSENT, Text("doctor.program.download", {"name": name, "version": pin(name).version})


def _found(name: str, program: Program) -> Line:
    tool = program.found
    values = {"name": name, "version": tool.version if tool else "", "path": tool.path if tool else ""}
    return THERE, Text("doctor.program.found", values)


def _size(count: int) -> str:
    return human_size(count) if count else UNKNOWN


def _traps(found: tuple[Found, ...], errors: list[KubetourError], language: str) -> Iterator[Line]:
    if not found and not errors:
        yield THERE, Text("doctor.traps.none")
    for error in errors:
        cause, fix = error.explain(language)
        yield from _trap(Severity.STOPS.value, coded(error.key, cause), fix)
    for item in found:
        trap = item.trap
        cause, fix = (say(language, key, **item.values) for key in (trap.key, f"{trap.key}.fix"))
        yield from _trap(item.severity.value, coded(trap.key.removeprefix("error."), cause), fix)


def _trap(mark: str, cause: str, fix: str) -> Iterator[Line]:
    yield mark, cause
    for index, line in enumerate(fix.splitlines()):
        yield ("   " if index else FIX), line


def _tour(
    machine: Machine, settings: Settings, plan: Forecast, stops: bool, created: tuple[str, ...]
) -> Iterator[Line]:
    yield THERE, plan.reason
    if stops:
        yield Severity.STOPS.value, Text("doctor.tour.stops")
    if plan.provider == "kind" and settings.provider == "auto" and not machine.kind.found:
        yield MORE, Text("doctor.tour.else")
    yield THERE, Text("doctor.created", {"what": ", ".join(created) or ABSENT})
