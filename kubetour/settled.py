"""What every task stands on: its host and its settings, and its errors told with their exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from kubetour.errors import Interrupted, KubetourError
from kubetour.host import HERE, Host
from kubetour.project import ROOT, STATE
from kubetour.runner import configure, last_signal, signals
from kubetour.session import settle
from kubetour.settings import Resolved
from kubetour.state import State
from kubetour.terminal import console as consoles
from kubetour.terminal.mistakes import print_error
from kubetour.text import choose as choose_language

if TYPE_CHECKING:
    from invoke.context import Context


@contextmanager
def told(language: str) -> Iterator[None]:
    """Turn an error into its text on standard error and its exit status."""
    try:
        with signals():
            yield
    except KubetourError as error:
        tell_error(error, language)
        raise SystemExit(error.exit_status) from error
    except KeyboardInterrupt as error:
        interrupted = Interrupted(last_signal())
        tell_error(interrupted, language)
        raise SystemExit(interrupted.exit_status) from error
    except BrokenPipeError as error:
        # Whoever read our output has gone; nothing more can be told, and Python must not try at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(141) from error


def tell_error(error: KubetourError, language: str) -> None:
    """Print an error on standard error: cause, evidence, diagnosis, fix."""
    print_error(consoles.make(sys.stderr), error, language)


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
