"""`inv doctor`: what was found on this machine, what stands in the way and its fix, and every setting's source.

It downloads nothing and changes nothing, waits for no program longer than some seconds, and works with nothing
at all installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from kubetour import buildcontext, manifests, play, session, traps
from kubetour.daemons import Daemon
from kubetour.engines import QUESTIONS
from kubetour.errors import KubetourError
from kubetour.forecast import forecast
from kubetour.machine import Host, Machine, Program, gather
from kubetour.pins import pin
from kubetour.proofs.common import human_size
from kubetour.providers import PROVIDERS, Ports, Tools
from kubetour.settings import Resolved, Settings, flag
from kubetour.project import ROOT
from kubetour.terminal import console as consoles
from kubetour.text import Text, say, tell
from kubetour.traps import Severity

if TYPE_CHECKING:
    from invoke.context import Context
    from rich.console import Console

HERE, ABSENT = "✓", "–"  # marks of a line, besides those of a trap's severity
UNKNOWN = "?"
Line = tuple[str, Text]  # a mark and what is said after it; "" goes on with the line before


def doctor(c: Context, flags: Mapping[str, Any]) -> None:
    """Print everything; the exit status is that of the first trouble that would stop the tour."""
    with play.settled(c, flags) as (resolved, state):
        settings, language = resolved.settings, resolved.settings.language
        out = consoles.make()
        machine = gather(c)
        print_report(out, language, machine, settings, state.created())
        errors = list(troubles(resolved))
        ...
