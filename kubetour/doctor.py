"""`inv doctor`: what was found on this machine, what stands in the way, and every setting's source."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubetour import engines, play, tools
from kubetour.errors import KubetourError
from kubetour.project import ROOT
from kubetour.session import open_session
from kubetour.settings import Resolved, flag
from kubetour.terminal import console as consoles
from kubetour.text import Text, say, tell

if TYPE_CHECKING:
    from invoke.context import Context
    from rich.console import Console

LEAST_DISK = 5 * 1000**3  # bytes: a kind node image and its containers
LEAST_INSTANCES = (
    512  # https://kind.sigs.k8s.io/docs/user/known-issues/#pod-errors-due-to-too-many-open-files
)
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
CGROUP_V2 = Path("/sys/fs/cgroup/cgroup.controllers")


def doctor(c: Context, flags: Mapping[str, Any]) -> None:
    """Print every finding; the exit status is that of the first trouble that would stop the tour."""
    with play.settled(c, flags) as (host, resolved, state):
        language = resolved.settings.language
        out = consoles.make()
        engine = engines.find(host.context(c), resolved.settings.engine)
        if host.name:
            values = {"host": host.name, "system": host.system, "directory": host.root}
            out.print(f"✓ {say(language, 'doctor.host', **values)}", soft_wrap=True)
        else:
            _machine(out, language, bool(engine.version))
        _finding(
            out, language, "doctor.engine", engine.require, lambda found: f"{found.name} {found.version}"
        )
        session = None
        trouble: KubetourError | None = None
        try:
            session = open_session(
                c, resolved, state, lambda text: out.print(tell(language, text), soft_wrap=True), host
            )
        except KubetourError as error:
            trouble = error
        if session:
            found = session.provider.tools
            for name, value in (
                ("kubectl", found.kubectl),
                ("curl", " ".join(found.curl)),
                ("python", found.python),
            ):
                out.print(f"✓ {name}: {value}", soft_wrap=True)
            node = None if host.name else tools.find_node()
            if node:
                out.print(f"✓ node: {node.path} {node.version}", soft_wrap=True)
            elif not host.name:
                out.print(f"! {say(language, 'doctor.no-node')}", soft_wrap=True)
            made = ", ".join(state.created())
            out.print(f"✓ {say(language, 'doctor.created', what=made or '–')}", soft_wrap=True)
        _settings(out, language, resolved)
        if trouble:
            raise trouble


def _machine(out: Console, language: str, has_engine: bool) -> None:
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    out.print(f"✓ {say(language, 'doctor.machine', system=system, python=platform.python_version())}")
    for text in machine_warnings(has_engine):
        out.print(f"! {tell(language, text)}", soft_wrap=True)


def machine_warnings(has_engine: bool) -> tuple[Text, ...]:
    """Return what about this machine is known to break kind, where it could be used."""
    found = []
    free = shutil.disk_usage(ROOT).free
    if free < LEAST_DISK and has_engine:
        found.append(Text("doctor.disk", {"free": f"{free / 1000**3:.1f} GB"}))
    if has_engine and INOTIFY.exists() and int(INOTIFY.read_text()) < LEAST_INSTANCES:
        found.append(Text("doctor.inotify", {"have": INOTIFY.read_text().strip(), "least": LEAST_INSTANCES}))
    if has_engine and platform.system() == "Linux" and not CGROUP_V2.exists():
        found.append(Text("doctor.cgroup"))
    return tuple(found)


def _finding(
    out: Console, language: str, key: str, find: Callable[[], Any], show: Callable[[Any], str]
) -> None:
    try:
        out.print(f"✓ {say(language, key)}: {show(find())}", soft_wrap=True)
    except KubetourError as error:
        cause, fix = error.explain(language)
        out.print(f"! {say(language, key)}: {consoles.harmless(cause)}", soft_wrap=True)
        out.print(f"  → {fix}", soft_wrap=True)


def _settings(out: Console, language: str, resolved: Resolved) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for key in ("doctor.setting", "doctor.value", "doctor.source"):
        table.add_column(say(language, key), overflow="fold")
    for name, value in asdict(resolved.settings).items():
        table.add_row(flag(name), str(value) if value not in ("", None) else "–", resolved.origins[name])
    out.print()
    out.print(table)
