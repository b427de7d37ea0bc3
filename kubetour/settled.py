"""What every task stands on: its host and its settings, and its errors told with their exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from kubetour.ending import told
from kubetour.host import HERE, Host
from kubetour.project import ROOT, STATE
from kubetour.runner import configure
from kubetour.session import settle
from kubetour.settings import Resolved
from kubetour.state import State
from kubetour.text import choose as choose_language

if TYPE_CHECKING:
    from invoke.context import Context


@contextmanager
def settled(c: Context, flags: Mapping[str, Any]) -> Iterator[tuple[Host, Resolved, State]]:
    """Go to the project's root, read the settings, and tell every error of the body in their language.

    Yields the host that commands are to run on, too; what was opened on the way to it is closed again.
    """
    configure(c)
    state = State(ROOT / STATE)
    with told(choose_language(flags.get("lang"))):
        resolved = settle(c, {**flags, **_named_by_fab(c)}, state)
        os.chdir(ROOT)
        with told(resolved.settings.language), _host(c, resolved.settings.host) as host:
            yield host, resolved, state.of(resolved.settings.host)


@contextmanager
def _host(c: Context, name: str) -> Iterator[Host]:
    if not name:
        yield HERE
        return
    from kubetour.remote.host import RemoteHost  # Fabric costs a quarter of a second

    with closing(RemoteHost(c, name)) as host:
        yield host


def _named_by_fab(c: Context) -> dict[str, str]:
    """Return the setting that `fab -H HOST` means."""
    if "fabric" not in sys.modules:
        return {}
    from kubetour.remote.connection import host_of

    host = host_of(c)
    return {"host": host} if host else {}
