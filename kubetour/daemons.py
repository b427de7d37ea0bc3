"""The container engines that are here, each with what it says of the machine that its containers run on."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kubetour import engines
from kubetour.ask import ask
from kubetour.engines import PATIENCE, Engine
from kubetour.pins import parse

if TYPE_CHECKING:
    from invoke.context import Context

# https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
DAEMON_JSON = Path("/etc/docker/daemon.json")


@dataclass(frozen=True)
class Daemon:
    """A container engine: whether it works, and if so its facts. Sizes are in bytes; 0 and "": not known."""

    engine: Engine
    path: str = ""
    store: str = ""  # the storage driver's name
    containerd_store: bool = False
    saves_platform: bool = True  # whether `image save` can be told the platform
    cgroup: int = 0
    cgroup_driver: str = ""
    cpus: int = 0
    memory: int = 0
    root: str = ""  # where images and containers are kept
    disk: int = 0  # free there, if it is on this machine
    rootless: bool = False
    limits: bool = True  # whether containers' CPU, memory and number of processes can be limited
    desktop: bool = False
    windows: bool = False  # runs Windows containers
    endpoint: str = ""  # of a daemon on another machine
    proxy: str = ""  # for what it downloads
    init: bool = False  # puts an init process of its own into every container


def daemon(c: Context, name: str) -> Daemon:
    """Return what an engine on PATH says, waiting for each answer for some seconds at most."""
    path = shutil.which(name) or name
    engine = engines.engine(c, name)
    if engine.trouble:
        return Daemon(engine, path)
    reply = ask((path, "info", "--format", engine.speaks.all_as_json), PATIENCE)
    found = judge(engine, path, reply.output)
    if found.containerd_store:
        found = replace(
            found, saves_platform="--platform" in ask((path, "image", "save", "--help"), PATIENCE).output
        )
    if engine.speaks.name != "docker":
        return found
    endpoint = ask((path, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"), PATIENCE).output
    found = replace(found, endpoint=elsewhere(os.environ.get("DOCKER_HOST") or endpoint.strip()))
    if found.endpoint or found.desktop:
        return found
    return replace(found, disk=_free(found.root), init=puts_init(DAEMON_JSON) and not found.rootless)


def judge(engine: Engine, path: str, info: str) -> Daemon:
    """Return the facts in the JSON that `info` printed: Docker's form, which nerdctl shares, or podman's."""
    try:
        said = json.loads(info)
    except ValueError:
        said = {}
    if not isinstance(said, dict):
        said = {}
    bare = Daemon(engine, path)
    return _podmans(bare, said) if "host" in said else _dockers(bare, said)


def _dockers(bare: Daemon, said: Mapping[str, Any]) -> Daemon:
    """https://docs.docker.com/reference/api/engine/version/v1.51/#tag/System/operation/SystemInfo"""
    driver_status = str(said.get("DriverStatus"))
    limits = all(said.get(name, True) for name in ("MemoryLimit", "PidsLimit", "CPUShares"))
    return replace(
        bare,
        store=str(said.get("Driver", "")),
        containerd_store="io.containerd.snapshotter" in driver_status,
        cgroup=_cgroup(said.get("CgroupVersion")),
        cgroup_driver=str(said.get("CgroupDriver", "")),
        cpus=said.get("NCPU") or 0,
        memory=said.get("MemTotal") or 0,
        root=str(said.get("DockerRootDir", "")),
        rootless="name=rootless" in str(said.get("SecurityOptions")),
        limits=limits and said.get("CgroupDriver") != "none",
        desktop="Docker Desktop" in str(said.get("OperatingSystem")),
        windows=said.get("OSType") == "windows",
        proxy=str(said.get("HttpsProxy") or said.get("HttpProxy") or ""),
    )


def _podmans(bare: Daemon, said: Mapping[str, Any]) -> Daemon:
    """https://docs.podman.io/en/latest/markdown/podman-info.1.html"""
    host, store = said.get("host") or {}, said.get("store") or {}
    return replace(
        bare,
        store=str(store.get("graphDriverName", "")),
        cgroup=_cgroup(host.get("cgroupVersion")),
        cgroup_driver=str(host.get("cgroupManager", "")),
        cpus=host.get("cpus") or 0,
        memory=host.get("memTotal") or 0,
        root=str(store.get("graphRoot", "")),
        disk=0 if host.get("serviceIsRemote") else _free(str(store.get("graphRoot", ""))),
        rootless=bool((host.get("security") or {}).get("rootless")),
        # Before 4.0 podman does not say which controllers there are: https://github.com/containers/podman/pull/10387
        limits=parse(bare.engine.version) < (4,)
        or {"cpu", "memory", "pids"} <= set(host.get("cgroupControllers") or ()),
    )


def elsewhere(endpoint: str) -> str:
    """Return the address of a daemon if it is on another machine, else ""."""
    parts = urlsplit(endpoint)
    here = parts.scheme in ("", "unix", "npipe", "fd") or parts.hostname in ("localhost", "127.0.0.1", "::1")
    return "" if here else endpoint


def puts_init(file: Path) -> bool:
    """Return whether Docker's configuration gives every container an init process."""
    with suppress(OSError, ValueError):
        said = json.loads(file.read_text(encoding="utf-8"))
        return isinstance(said, dict) and said.get("init") is True
    return False


def _cgroup(said: object) -> int:
    number = re.fullmatch(r"v?(\d)", str(said or ""))
    return int(number[1]) if number else 0


def _free(directory: str) -> int:
    with suppress(OSError):
        return shutil.disk_usage(directory).free if directory else 0
    return 0
