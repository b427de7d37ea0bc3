"""`crictl ps` and `crictl stop` on a node: its containers, as its runtime keeps them on disk.

Another process than the runtime looks at them here: what it ends, the runtime sees end, as any other process.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import NoReturn

from kubetour.embedded import container as containers
from kubetour.embedded import imageformat
from kubetour.embedded.container import RUNNING, Container
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.kubelet_container import CONTAINER_NAME, POD_NAME, RESTARTS
from kubetour.embedded.podutil import parse_time
from kubetour.embedded.process import signal_group
from kubetour.embedded.units import human_duration

_POLL = 0.02  # seconds between two looks at whether a process has ended


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Raise EmbeddedError, as every command here does."""
        raise EmbeddedError(f"crictl: {message}; {self.format_usage().strip()}")


def ps(argv: list[str], node: Path) -> int:
    """List the node's running containers, the youngest first; those that have all these labels."""
    parser = _Parser(prog="crictl ps", add_help=False)
    parser.add_argument("-q", "--quiet", action="store_true")
    parser.add_argument("--label", action="append", default=[], metavar="KEY=VALUE")
    given = parser.parse_args(argv)
    wanted = dict(label.partition("=")[::2] for label in given.label)
    found = [each for each in _running(node) if wanted.items() <= each.labels.items()]
    if given.quiet:
        for each in found:
            print(each.id)
        return 0
    rows = [_row(each) for each in found]
    names = ("CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD")
    print(imageformat.table(rows, {name: name for name in names}), end="")
    return 0


def _row(container: Container) -> dict[str, str]:
    age = (datetime.now(timezone.utc) - parse_time(container.started_at)).total_seconds()
    return {
        "CONTAINER": container.id[:13],
        "IMAGE": container.image,
        "CREATED": f"{human_duration(age)} ago",
        "STATE": "Running",
        "NAME": container.labels.get(CONTAINER_NAME, container.name),
        "ATTEMPT": container.labels.get(RESTARTS, "0"),
        "POD": container.labels.get(POD_NAME, ""),
    }


def stop(argv: list[str], node: Path) -> int:
    """End containers, each named by the beginning of its ID: by its own signal, and after a while by force.

    Without -t there is no while, as crictl has it: https://github.com/kubernetes-sigs/cri-tools
    """
    parser = _Parser(prog="crictl stop", add_help=False)
    parser.add_argument("-t", "--timeout", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("containers", nargs="+", metavar="CONTAINER-ID")
    given = parser.parse_args(argv)
    for name in given.containers:
        found = [each for each in _running(node) if name and each.id.startswith(name)]
        if len(found) != 1:
            print(f'FATA[0000] stopping the container "{name}": not found', file=sys.stderr)
            return 1
        _end(found[0], given.timeout)
        print(name)
    return 0


def _end(container: Container, grace: float) -> None:
    if grace > 0:
        signal_group(container.pid, container.stop_signal_number)
        deadline = time.monotonic() + grace
        while containers.still_runs(container) and time.monotonic() < deadline:
            time.sleep(_POLL)
    if containers.still_runs(container):
        signal_group(container.pid, signal.SIGKILL)
    while containers.still_runs(container):
        time.sleep(_POLL)


def _running(node: Path) -> list[Container]:
    """Return the containers whose processes run, the youngest first."""
    found = []
    for path in (node / "containers").glob("*/state.json"):
        try:
            container = containers.load(path.parent)
        except EmbeddedError:
            continue  # it is being removed
        if container.state == RUNNING and containers.still_runs(container):
            found.append(container)
    return sorted(found, key=lambda each: each.started_at, reverse=True)
