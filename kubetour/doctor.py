"""`inv doctor`: what was found on this machine, what stands in the way and its fix, every setting's source.

It downloads and changes nothing, waits for no program longer than some seconds, and works with nothing at
all installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kubetour import traps
from kubetour.errors import KubetourError, RefusedError
from kubetour.findings import ABSENT, THERE, findings
from kubetour.forecast import Forecast, forecast
from kubetour.host import Host
from kubetour.machine import gather
from kubetour.providers import Tools
from kubetour.session import assemble, open_session
from kubetour.settings import Resolved, flag
from kubetour.settled import settled
from kubetour.state import State
from kubetour.terminal import console as consoles
from kubetour.text import say, tell
from kubetour.traps import Severity

if TYPE_CHECKING:
    from invoke.context import Context


def doctor(c: Context, flags: Mapping[str, Any]) -> None:
    """Print everything; the exit status is that of the first trouble that would stop the tour."""
    with settled(c, flags) as (host, resolved, state):
        settings, language = resolved.settings, resolved.settings.language
        if host.name:
            _far(c, host, resolved, state)
            return
        machine = gather(c)
        plan = forecast(machine, settings)
        found = traps.find(machine, settings)
        errors = file_errors(resolved, state, plan)
        out = consoles.make()
        for line in findings(machine, settings, found, errors, state.created(), language):
            out.print(line, soft_wrap=True)
        _settings(resolved, language)
        stops = [item.trap.exit_status for item in found if item.severity is Severity.STOPS]
        for error in errors:  # a tour looks at files after programs; what it refuses, it refuses at once
            stops.insert(0 if isinstance(error, RefusedError) else len(stops), error.exit_status)
        if stops:
            raise SystemExit(stops[0])


def _far(c: Context, host: Host, resolved: Resolved, state: State) -> None:
    """Print what a tour finds on another host; the traps are known of this machine alone."""
    language, out = resolved.settings.language, consoles.make()
    try:
        host.context(c)
        values = {"host": host.name, "system": host.system, "directory": host.root}
        out.print(f"{THERE} {say(language, 'host.doctor', **values)}", soft_wrap=True)
        found = open_session(
            c, resolved, state, lambda text: out.print(tell(language, text), soft_wrap=True), host
        ).provider.tools
        for name, call in (
            ("kubectl", found.kubectl),
            ("curl", " ".join(found.curl)),
            ("python", found.python),
        ):
            out.print(f"{THERE} {name}: {call}", soft_wrap=True)
        made = ", ".join(state.created()) or ABSENT
        out.print(f"{THERE} {say(language, 'doctor.created', what=made)}", soft_wrap=True)
    finally:
        _settings(resolved, language)


def file_errors(resolved: Resolved, state: State, plan: Forecast) -> list[KubetourError]:
    """Return what is wrong with the settings, the project's files or the ports, as a tour would find it."""
    try:
        assemble(resolved, state, plan.provider, Tools("python"))
    except KubetourError as error:
        return [error]
    return []


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
