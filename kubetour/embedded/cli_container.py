"""Docker's commands for containers: run -d, logs, stop, rm, ps, inspect."""

from __future__ import annotations

import re
import sys
import time
from argparse import Namespace
from datetime import datetime, timezone
from pathlib import Path

from kubetour.embedded import containerformat, imageformat
from kubetour.embedded.cli_image import find, print_objects, print_rows, store
from kubetour.embedded.container import RUNNING
from kubetour.embedded.containerlog import LogOptions, LogReader, select
from kubetour.embedded.containerstore import ContainerStore, PortMapping, RunOptions
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.listening import free_ports
from kubetour.embedded.paths import state_root

PS = {
    "CONTAINER ID": "ID",
    "IMAGE": "Image",
    "COMMAND": "Command",
    "CREATED": "RunningFor",
    "STATUS": "Status",
    "PORTS": "Ports",
    "NAMES": "Names",
}
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_FOLLOW_TICK = 0.1  # seconds between two looks at another process's log


def _containers() -> ContainerStore:
    return ContainerStore(state_root())


def run(arguments: Namespace) -> int:
    """Start a container and print its ID."""
    if not arguments.detach:
        raise EmbeddedError("run needs -d: a container runs in the background; `logs` shows what it prints")
    image = find(store(), arguments.image)
    name = arguments.name or f"{image.id[7:13]}-{int(time.time() * 1000) % 10**7}"
    if not _NAME.fullmatch(name):
        raise EmbeddedError(f"invalid container name {name!r}: only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
    options = RunOptions(
        name=name,
        auto_remove=arguments.rm,
        ports=tuple(port_mapping(text) for text in arguments.publish),
        environment=_pairs(arguments.env, "-e"),
        labels=_pairs(arguments.label, "--label"),
        args=arguments.args or None,
        entrypoint=arguments.entrypoint,
    )
    print(_containers().run(image, arguments.image, options).id)
    return 0


def port_mapping(text: str) -> PortMapping:
    """Return what `-p` says; without a host port a free one. EmbeddedError for another form.

    Without an address it is 127.0.0.1: a process that nothing isolates is not shown to the network unasked.
    """
    match = re.fullmatch(r"(?:(?:([\d.]+|localhost):)?(\d*):)?(\d+)(?:/tcp)?", text)
    numbers = [int(number) for number in (match[2], match[3]) if number] if match else []
    if not match or not all(0 < number < 65536 for number in numbers):
        raise EmbeddedError(f"-p {text}: the form is [IP:]HOST:CONTAINER, such as 127.0.0.1:8080:8080")
    address = "127.0.0.1" if match[1] in (None, "localhost") else match[1]
    return PortMapping(address, int(match[2]) if match[2] else next(free_ports(address)), int(match[3]))


def _pairs(texts: list[str], flag: str) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise EmbeddedError(f"{flag} {text}: give NAME=VALUE")
        pairs[name] = value
    return pairs


def logs(arguments: Namespace) -> int:
    """Print a container's log, each stream where it belongs."""
    containers = _containers()
    container = containers.get(arguments.container)
    if arguments.tail != "all" and not arguments.tail.isdigit():
        raise EmbeddedError(f"--tail {arguments.tail}: give a number of lines, or all")
    reader = LogReader(Path(container.log))
    tail = None if arguments.tail == "all" else int(arguments.tail)
    entries = select(reader.read(), LogOptions(tail_lines=tail))
    while True:
        for entry in entries:
            out = sys.stderr if entry.stream == "stderr" else sys.stdout
            out.buffer.write(entry.line(timestamps=arguments.timestamps))
            out.flush()
        if not arguments.follow or container.state != RUNNING:
            return 0
        time.sleep(_FOLLOW_TICK)
        try:
            container = containers.get(container.id)
        except EmbeddedError:  # it ended and was removed
            container.state = "removed"
        entries = list(reader.read())


def stop(arguments: Namespace) -> int:
    """Stop containers; or, if the first is called `node` and others follow, nodes of a cluster."""
    if arguments.containers[0] == "node" and len(arguments.containers) > 1:
        from kubetour.embedded import cli_node

        return cli_node.stop(arguments.containers[1:])
    containers = _containers()
    for name in arguments.containers:
        containers.stop(containers.get(name), arguments.time)
        print(name)
    return 0


def remove(arguments: Namespace) -> int:
    """Remove containers."""
    containers = _containers()
    for name in arguments.containers:
        try:
            container = containers.get(name)
        except EmbeddedError:
            if arguments.force:
                continue
            raise
        if container.state == RUNNING and not arguments.force:
            raise EmbeddedError(f"the container {name} is running; stop it first, or use rm -f")
        containers.remove(container)
        print(name)
    return 0


def ps(arguments: Namespace) -> int:
    """List containers."""
    now = datetime.now(timezone.utc)
    shown = [c for c in _containers().all() if arguments.all or c.state == RUNNING]
    rows = [containerformat.row(c, now, truncate=not arguments.no_trunc) for c in shown]
    if arguments.quiet:
        for row in rows:
            print(row["ID"])
        return 0
    print_rows(rows, PS, arguments.format)
    return 0


def inspect(arguments: Namespace) -> int:
    """Print all about containers, or images where no container has that name."""
    containers, images = _containers(), store()
    found, missing = [], []
    for name in arguments.names:
        try:
            found.append(containerformat.inspect(containers.get(name)))
        except EmbeddedError:
            image = images.find(name)
            if image is None:
                missing.append(name)
            else:
                found.append(imageformat.inspect(image))
    print_objects(found, arguments.format)
    if missing:
        raise EmbeddedError(f"no such object: {', '.join(missing)}")
    return 0


def shim(arguments: Namespace) -> int:
    """Be the process behind a container."""
    from kubetour.embedded.shim import main

    return main(*arguments.words)
