"""What traps are judged by, and what the conditions share."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kubetour.daemons import Daemon
from kubetour.engines import Engine
from kubetour.forecast import Forecast
from kubetour.machine import Host, Machine
from kubetour.pins import Version, parse
from kubetour.settings import Settings

UNKNOWN_VERSION = (10**6,)  # never too old: no trap is seen where nothing is known

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """What a trap is judged by."""

    machine: Machine
    settings: Settings
    plan: Forecast

    @property
    def host(self) -> Host:
        """Return the machine's own facts."""
        return self.machine.host

    @property
    def daemon(self) -> Daemon:
        """Return the engine that would be used; where none is asked for, one without facts."""
        return self.plan.daemon or Daemon(Engine("", "engine-unasked"))

    @property
    def other(self) -> str:
        """Return the name of an engine that works, or ""."""
        return next((d.engine.name for d in self.machine.daemons if not d.engine.trouble), "")


def given(condition: object, **values: Any) -> Values | None:
    """Return the values if the condition holds."""
    return values if condition else None


def numbers(text: str) -> Version:
    """Return a version's numbers, as far as it has any."""
    with suppress(ValueError):
        return parse(text.split("~", maxsplit=1)[0])
    return UNKNOWN_VERSION


def dotted(version: Version) -> str:
    """Return a version as people write it."""
    return ".".join(map(str, version))
