"""Containers as Docker's commands print them: `inspect` and `ps`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kubetour.embedded.container import CREATED, MARK, RUNNING, Container
from kubetour.embedded.imageformat import ago, parse_time, short_id
from kubetour.embedded.units import human_duration

Json = dict[str, Any]
_NEVER = "0001-01-01T00:00:00Z"


def inspect(container: Container) -> Json:
    """Return what `docker inspect` prints of a container."""
    mappings = container.annotations.get("ports") or []
    published = {
        f"{inner}/tcp": [{"HostIp": address, "HostPort": str(outer)}] for address, outer, inner in mappings
    }
    first, *rest = container.argv
    return {
        "Id": container.id,
        "Created": container.created_at,
        "Path": first,
        "Args": rest,
        "State": {
            "Status": container.state,
            "Running": container.state == RUNNING,
            "Pid": container.pid if container.state == RUNNING else 0,
            "ExitCode": container.exit_code,
            "Error": container.message,
            "StartedAt": container.started_at or _NEVER,
            "FinishedAt": container.finished_at or _NEVER,
        },
        "Image": container.image_id,
        "Name": f"/{container.name}",
        "LogPath": container.log,
        "HostConfig": {
            "AutoRemove": bool(container.annotations.get("auto-remove")),
            "PortBindings": published,
            "NetworkMode": "host",
        },
        "Config": {
            "Hostname": container.environment["HOSTNAME"],
            "Env": [f"{name}={value}" for name, value in container.environment.items() if name != MARK],
            "Image": container.image,
            "WorkingDir": container.directory,
            "Labels": container.labels,
            "StopSignal": container.stop_signal,
        },
        "NetworkSettings": {"IPAddress": container.annotations.get("address", ""), "Ports": published},
    }


def row(container: Container, now: datetime, *, truncate: bool) -> Json:
    """Return one row of `docker ps`, with the keys of its `--format json`."""
    command = " ".join(container.argv)
    mappings = container.annotations.get("ports") or []
    return {
        "ID": short_id(container.id) if truncate else container.id,
        "Image": container.image,
        "Command": f'"{command[:19]}…"' if truncate and len(command) > 20 else f'"{command}"',
        "CreatedAt": container.created_at,
        "RunningFor": ago(container.created_at, now),
        "State": container.state,
        "Status": status(container, now),
        "Ports": ", ".join(f"{address}:{outer}->{inner}/tcp" for address, outer, inner in mappings),
        "Names": container.name,
        "Labels": ",".join(f"{name}={value}" for name, value in container.labels.items()),
    }


def status(container: Container, now: datetime) -> str:
    """Return how a container is and since when: "Up 3 minutes", "Exited (0) 2 hours ago"."""
    if container.state == CREATED:
        return "Created"
    since = parse_time(container.started_at if container.state == RUNNING else container.finished_at)
    span = human_duration((now - since).total_seconds()) if since else "an unknown time"
    if container.state == RUNNING:
        return f"Up {span}"
    return f"Exited ({container.exit_code}) {span} ago"
