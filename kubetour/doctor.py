"""`inv doctor`: what was found on this machine, what stands in the way and its fix, every setting's source.

It downloads and changes nothing, waits for no program longer than some seconds, and works with nothing at
all installed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kubetour import play, traps
from kubetour.daemons import Daemon
from kubetour.engines import QUESTIONS
from kubetour.errors import KubetourError
from kubetour.forecast import Forecast, forecast
from kubetour.machine import Host, Machine, Program, gather
from kubetour.pins import pin
from kubetour.proofs.common import human_size
from kubetour.providers import Tools
from kubetour.session import assemble
from kubetour.settings import Resolved, Settings, flag
from kubetour.state import State
from kubetour.terminal import console as consoles
from kubetour.text import Text, say, tell
from kubetour.traps import Found, Severity

if TYPE_CHECKING:
    from invoke.context import Context

THERE, ABSENT, MORE = "✓", "–", " "  # the marks of a line, besides those of how bad a trap is
UNKNOWN = "?"
MOST_EVIDENCE = 3  # lines of what a broken engine says
Line = tuple[str, Text]


def doctor(c: Context, flags: Mapping[str, Any]) -> None:
    """Print everything; the exit status is that of the first trouble that would stop the tour."""
    with play.settled(c, flags) as (resolved, state):
        settings, language = resolved.settings, resolved.settings.language
        machine = gather(c)
        plan = forecast(machine, settings)
        found = traps.find(machine, settings)
        errors = file_errors(resolved, state, plan)
        out = consoles.make()
        for line in report(machine, settings, found, errors, state.created(), language):
            out.print(line, soft_wrap=True)
        _settings(resolved, language)
        stops = [item.trap.exit_status for item in found if item.severity is Severity.STOPS]
        stops += [error.exit_status for error in errors]
        if stops:
            raise SystemExit(stops[0])


def file_errors(resolved: Resolved, state: State, plan: Forecast) -> list[KubetourError]:
    """Return what is wrong with the settings, the project's files or the ports, as a tour would find it."""
    try:
        assemble(resolved, state, plan.provider, Tools("python"))
    except KubetourError as error:
        return [error]
    return []


def report(
    machine: Machine,
    settings: Settings,
    found: tuple[Found, ...],
    errors: list[KubetourError],
    created: tuple[str, ...],
    language: str,
) -> Iterator[str]:
    """Yield the lines that tell what was found, what stands in the way, and what a tour would take."""
    plan = forecast(machine, settings)
    sections: tuple[tuple[Text, Iterator[Line]], ...] = (
        (Text("doctor.host"), _host(machine.host)),
        (Text("doctor.engines"), _engines(machine)),
        (Text("doctor.programs"), _programs(machine, settings, plan)),
    )
    for heading, lines in sections:
        yield tell(language, heading)
        for mark, text in lines:
            yield consoles.harmless(f"{mark} {tell(language, text)}")
        yield ""
    yield say(language, "doctor.traps")
    for error in errors:
        yield from _trap(Severity.STOPS.value, *error.explain(language))
    for item in found:
        trap = item.trap
        cause, fix = (say(language, key, **item.values) for key in (trap.key, f"{trap.key}.fix"))
        yield from _trap(item.severity.value, cause, fix)
    if not found and not errors:
        yield f"{THERE} {say(language, 'doctor.traps.none')}"
    yield ""
    yield say(language, "doctor.tour")
    yield f"{THERE} {tell(language, plan.reason)}"
    if errors or any(item.severity is Severity.STOPS for item in found):
        yield f"{Severity.STOPS.value} {say(language, 'doctor.tour.stops')}"
    if plan.provider == "kind" and settings.provider == "auto" and not machine.kind.found:
        yield f"{MORE} {say(language, 'doctor.tour.else')}"
    yield f"{THERE} {say(language, 'doctor.created', what=', '.join(created) or ABSENT)}"


def _trap(mark: str, cause: str, fix: str) -> Iterator[str]:
    yield consoles.harmless(f"{mark} {cause}")
    for index, line in enumerate(fix.splitlines()):
        yield consoles.harmless(f"  {'→' if index == 0 else MORE} {line}")


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
        yield ABSENT, Text("doctor.engine.none", {"names": ", ".join(QUESTIONS)})
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


def _settings(resolved: Resolved, language: str) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for key in ("doctor.setting", "doctor.value", "doctor.source"):
        table.add_column(say(language, key), overflow="fold")
    for name, value in asdict(resolved.settings).items():
        table.add_row(flag(name), str(value) if value not in ("", None) else ABSENT, resolved.origins[name])
    out = consoles.make()
    out.print()
    out.print(table)
