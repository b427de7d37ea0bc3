"""Questions to programs that may be broken or hang: their version, a package."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from dataclasses import dataclass
from functools import partial

from kubetour.errors import SHORT, SHORT_WORDS, ResourceError, short
from kubetour.interrupts import heard, held_signals


@dataclass(frozen=True)
class Reply:
    """What a program printed to its standard output, and why that is not to be relied on: "" if it is."""

    output: str
    trouble: str = ""


def ask(argv: tuple[str, ...], timeout: float, cwd: str | None = None) -> Reply:
    """Return a program's reply. It and all it started are ended after `timeout` seconds.

    ResourceError if this machine can start no program now, or the program no thread: that is not its fault.
    """
    with held_signals():  # but for the waiting, that the program is ended whatever comes
        return _ask(argv, timeout, cwd)


def _ask(argv: tuple[str, ...], timeout: float, cwd: str | None) -> Reply:
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd=cwd,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        if error.errno in SHORT:
            raise short(error) from error
        return Reply("", error.strerror or str(error))
    with process:
        try:
            output, complaint = heard(partial(process.communicate, timeout=timeout))
        except subprocess.TimeoutExpired:
            return Reply("", f"no answer within {timeout:g} seconds")
        finally:
            _end(process)
    if process.returncode != 0:
        if too_little := re.search(f"(?im)^.*({SHORT_WORDS}).*$", complaint):
            raise ResourceError("machine-short", reason=too_little[0].strip()[:300])
        last = complaint.strip().splitlines()[-1:] or [f"exit status {process.returncode}"]
        return Reply(output, last[0][:300])
    return Reply(output)


def _end(process: subprocess.Popen[str]) -> None:
    """End the program's whole session, if it is still there: a shim's child would hold the pipes open."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()  # not in `with` where a signal has come
