"""Broken machines: each differs from a sound one in what is on PATH, in its facts, or in what is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from invoke.context import Context

from kubetour.machine import Host, Machine, gather

GB = 1000**3
SOUND_HOST = Host(
    system="Linux",
    release="6.12.0",
    processor="amd64",
    python="3.12.4",
    cpus=8,
    memory=16 * GB,
    available=12 * GB,
    disk=90 * GB,
    cgroup=2,
    instances=8192,
    watches=524288,
    project="/home/me/kubetour",
)
INFO: Mapping[str, Any] = {
    "ServerVersion": "29.0.0",
    "Driver": "overlay2",
    "DriverStatus": [["Backing Filesystem", "extfs"]],
    "CgroupVersion": "2",
    "CgroupDriver": "systemd",
    "NCPU": 8,
    "MemTotal": 16 * GB,
    "DockerRootDir": "/var/lib/docker",
    "OperatingSystem": "Debian GNU/Linux 13 (trixie)",
    "OSType": "linux",
    "SecurityOptions": ["name=seccomp,profile=builtin", "name=cgroupns"],
    "MemoryLimit": True,
    "PidsLimit": True,
    "CPUShares": True,
}
ABSENT, HANGS = "", "exec /usr/bin/tail -f /dev/null"
DOWN = "echo 'Cannot connect to the Docker daemon. Is the docker daemon running?' >&2; exit 1"
DENIED = "echo 'permission denied while trying to connect to the Docker daemon socket' >&2; exit 1"


def docker(
    version: str = "29.0.0",
    help_text: str = "--platform strings",
    endpoint: str = "unix:///var/run/docker.sock",
    **info: Any,
) -> str:
    """Return a docker for /bin/sh that answers the questions asked of it, and fails at any other."""
    said = json.dumps({**INFO, "ServerVersion": version, **info})
    return f"""case "$*" in
  "version --format {{{{.Server.Version}}}}") echo '{version}' ;;
  "info --format {{{{json .}}}}") echo '{said}' ;;
  "image save --help") echo '{help_text}' ;;
  "context inspect --format {{{{.Endpoints.docker.Host}}}}") echo '{endpoint}' ;;
  *) exit 1 ;;
esac"""


def podman(version: str = "5.4.0", **host: Any) -> str:
    """Return a podman for /bin/sh."""
    said = {
        "host": {
            "cgroupVersion": "v2",
            "cgroupManager": "systemd",
            "cgroupControllers": ["cpu", "io", "memory", "pids"],
            "cpus": 8,
            "memTotal": 16 * GB,
            "security": {"rootless": False},
            "serviceIsRemote": True,
            **host,
        },
        "store": {"graphDriverName": "overlay", "graphRoot": "/var/lib/containers/storage"},
    }
    return f"""case "$*" in
  "info --format {{{{.Version.Version}}}}") echo '{version}' ;;
  "info --format json") echo '{json.dumps(said)}' ;;
  *) exit 1 ;;
esac"""


def kubectl(version: str) -> str:
    return f'echo \'{{"clientVersion": {{"gitVersion": "{version}"}}}}\''


SOUND: Mapping[str, str] = {
    "docker": docker(),
    "kubectl": kubectl("v1.36.4"),
    "kind": "echo 'kind v0.32.0 go1.26.1 linux/amd64'",
    "node": "echo v24.1.0",
    "curl": "echo 'curl 8.14.1 (x86_64-pc-linux-gnu)'",
}


@dataclass(frozen=True)
class Broken:
    """A machine: its programs and facts where they differ, what is asked for, and the traps that apply.

    A trap is written as doctor marks it (✗ stops the tour, ! may break it, · worth knowing), then its key.
    """

    traps: tuple[str, ...]
    exit_status: int = 0
    programs: Mapping[str, str] = field(default_factory=dict)
    host: Mapping[str, Any] = field(default_factory=dict)
    daemon: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def gather(self, c: Context, bin: Path) -> Machine:
        """Return what is found with these programs in `bin`, which is all of PATH."""
        for name, body in {**SOUND, **self.programs}.items():
            if body:
                program = bin / name
                program.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
                program.chmod(0o755)
        machine = gather(c)
        facts = {"disk": 80 * GB, "init": False, **self.daemon}
        daemons = tuple(d if d.engine.trouble else replace(d, **facts) for d in machine.daemons)
        return replace(machine, host=replace(SOUND_HOST, **self.host), daemons=daemons)


NO_ENGINE = {"docker": ABSENT}
SNAPSHOTTER = [["driver-type", "io.containerd.snapshotter.v1"]]
ROOTLESS = ["name=seccomp,profile=builtin", "name=rootless", "name=cgroupns"]
DESKTOP = {"OperatingSystem": "Docker Desktop"}
KIND, CONTEXT = {"provider": "kind"}, {"provider": "context", "context": "gke_example"}
PROXY = "http://proxy.example:3128"

MACHINES: Mapping[str, Broken] = {
    "sound": Broken(()),
    "bare": Broken(
        ("· error.engine-absent", "· trap.curl-missing", "✗ trap.node-missing"),
        3,
        dict.fromkeys(SOUND, ABSENT),
    ),
    "no-engine": Broken(("· error.engine-absent",), 0, NO_ENGINE),
    "no-engine-for-kind": Broken(("✗ error.engine-absent",), 3, NO_ENGINE, settings=KIND),
    "no-engine-for-context": Broken(("✗ error.engine-absent",), 3, NO_ENGINE, settings=CONTEXT),
    "daemon-down": Broken(("! error.engine-daemon",), 0, {"docker": DOWN}),
    "daemon-down-for-kind": Broken(("✗ error.engine-daemon",), 4, {"docker": DOWN}, settings=KIND),
    "daemon-hangs": Broken(("! error.engine-hangs",), 0, {"docker": HANGS}),
    "daemon-says-junk": Broken(("! error.engine-daemon",), 0, {"docker": "echo '<html>'"}),
    "docker-does-not-start": Broken(("! error.engine-daemon",), 0, {"docker": "exit 126"}),
    "socket-denied": Broken(("✗ error.engine-permission",), 4, {"docker": DENIED}, settings=KIND),
    "podman-takes-over": Broken((), 0, {"docker": DOWN, "podman": podman()}),
    "podman-broken-alone": Broken(("! error.engine-daemon",), 0, {"docker": ABSENT, "podman": "exit 125"}),
    "podman-asked-but-absent": Broken(("· trap.engine-asked",), 0, settings={"engine": "podman"}),
    "podman-asked-but-absent-for-kind": Broken(
        ("✗ trap.engine-asked",), 3, settings={"engine": "podman", **KIND}
    ),
    "docker-too-old": Broken(("! trap.engine-old",), 0, {"docker": docker("19.03.15")}),
    "podman-rootless-without-delegation": Broken(
        ("✗ trap.rootless-limits",),
        4,
        {"docker": ABSENT, "podman": podman(security={"rootless": True}, cgroupControllers=[])},
    ),
    "docker-rootless-without-delegation": Broken(
        ("✗ trap.rootless-limits",), 4, {"docker": docker(SecurityOptions=ROOTLESS, CPUShares=False)}
    ),
    "rootless-on-cgroup-v1": Broken(
        ("✗ trap.rootless-cgroup",),
        4,
        {"docker": docker(SecurityOptions=ROOTLESS, CgroupVersion="1", CgroupDriver="none")},
        {"cgroup": 1},
    ),
    "cgroup-v1": Broken(
        ("· trap.cgroup-v1",),
        0,
        {"docker": docker(CgroupVersion="1", CgroupDriver="cgroupfs")},
        {"cgroup": 1},
    ),
    "cgroup-v1-on-wsl": Broken(
        ("· trap.cgroup-v1-wsl",),
        0,
        {"docker": docker(CgroupVersion="1", CgroupDriver="cgroupfs")},
        {"cgroup": 1, "wsl": 2, "release": "5.15.167.4-microsoft-standard-WSL2"},
    ),
    "wsl1": Broken(
        ("· error.engine-absent", "· trap.wsl1"),
        0,
        NO_ENGINE,
        {"wsl": 1, "release": "4.4.0-19041-Microsoft", "cgroup": 0},
    ),
    "wsl-on-a-windows-drive": Broken(
        ("· trap.wsl-drive",), 0, host={"wsl": 2, "project": "/mnt/c/Users/me/kubetour"}
    ),
    "containerd-store-without-platform": Broken(
        ("! trap.containerd-store",),
        0,
        {"docker": docker("27.5.1", "-o, --output string", Driver="overlayfs", DriverStatus=SNAPSHOTTER)},
    ),
    "containerd-store-with-platform": Broken(
        (), 0, {"docker": docker(Driver="overlayfs", DriverStatus=SNAPSHOTTER)}
    ),
    "desktop-with-little-memory": Broken(
        ("! trap.memory-desktop", "· trap.desktop-network"),
        0,
        {"docker": docker(**DESKTOP, MemTotal=1_500_000_000)},
        {
            "system": "Darwin",
            "release": "25.1.0",
            "processor": "arm64",
            "cgroup": 0,
            "instances": 0,
            "watches": 0,
        },
    ),
    "windows-containers": Broken(
        ("✗ trap.windows-containers", "· trap.desktop-network"),
        4,
        {"docker": docker(**DESKTOP, OSType="windows", CgroupVersion="", CgroupDriver="")},
        {"wsl": 2, "release": "5.15.167.4-microsoft-standard-WSL2"},
    ),
    "little-memory": Broken(
        ("! trap.memory",), 0, {"docker": docker(MemTotal=1_900_000_000)}, {"memory": 1_900_000_000}
    ),
    "inotify-of-ubuntu": Broken(("! trap.inotify",), 0, host={"instances": 128, "watches": 8192}),
    "inotify-enough-for-one-node": Broken((), 0, host={"instances": 128}, settings={"workers": 0}),
    "disk-nearly-full": Broken(("! trap.disk",), 0, daemon={"disk": 2 * GB}),
    "project-disk-full": Broken(("! trap.project-full",), 0, host={"disk": 40_000_000}),
    "project-read-only": Broken(("✗ trap.unwritable",), 10, host={"unwritable": "Read-only file system"}),
    "docker-init": Broken(("! trap.docker-init",), 0, daemon={"init": True}),
    "docker-snap": Broken(("! trap.snap",), 0, daemon={"path": "/snap/bin/docker"}),
    "docker-elsewhere": Broken(
        ("! trap.engine-elsewhere",), 0, {"docker": docker(endpoint="ssh://me@server.example")}
    ),
    "proxy": Broken(("! trap.proxy-engine", "· trap.no-proxy"), 0, host={"proxy": PROXY}),
    "proxy-known-to-all": Broken(
        (), 0, {"docker": docker(HttpsProxy=PROXY)}, {"proxy": PROXY, "no_proxy": "localhost, 127.0.0.1"}
    ),
    "processor-without-node-images": Broken(("✗ trap.processor",), 4, host={"processor": "riscv64"}),
    "kubectl-too-old": Broken(("· trap.passed-over",), 0, {"kubectl": kubectl("v1.14.10")}),
    "kubectl-hangs": Broken(("· trap.passed-over",), 0, {"kubectl": HANGS}),
    "kubectl-is-a-shim-of-nothing": Broken(
        ("· trap.passed-over",), 0, {"kubectl": "echo 'no version is set for kubectl' >&2; exit 126"}
    ),
    "kubectl-missing-offline": Broken(
        ("✗ error.tool-offline",), 3, {"kubectl": ABSENT}, settings={"offline": True}
    ),
    "kind-missing": Broken((), 0, {"kind": ABSENT}),
    "kind-missing-offline": Broken(("· trap.kind-offline",), 0, {"kind": ABSENT}, settings={"offline": True}),
    "kind-asked-but-missing-offline": Broken(
        ("✗ trap.kind-offline",), 3, {"kind": ABSENT}, settings={"offline": True, **KIND}
    ),
    "kind-too-old": Broken(("· trap.passed-over",), 0, {"kind": "echo 'kind v0.11.1 go1.16.4 linux/amd64'"}),
    "node-missing": Broken(("✗ trap.node-missing",), 3, {"node": ABSENT}, settings={"provider": "embedded"}),
    "node-broken": Broken(
        ("✗ trap.node-broken",),
        3,
        {"node": "echo 'node: libicui18n.so.74: cannot open shared object file' >&2; exit 127"},
        settings={"provider": "embedded"},
    ),
    "node-too-old": Broken(
        ("! trap.node-old",), 0, {"node": "echo v12.22.9"}, settings={"provider": "embedded"}
    ),
    "node-hangs": Broken(("✗ trap.node-broken",), 3, {"node": HANGS}, settings={"provider": "embedded"}),
    "node-does-not-matter-to-another-app": Broken(
        (), 0, {"node": ABSENT}, settings={"provider": "embedded", "app_dir": "../shop"}
    ),
    "node-does-not-matter-to-kind": Broken((), 0, {"node": ABSENT}),
    "curl-missing": Broken(("· trap.curl-missing",), 0, {"curl": ABSENT}),
    "curl-broken": Broken(("✗ trap.curl-broken",), 3, {"curl": "exit 1"}),
    "kubeconfig-missing": Broken(
        ("✗ trap.kubeconfig",), 5, host={"kubeconfig": "/home/me/old.yaml"}, settings=CONTEXT
    ),
    "latin1-terminal": Broken(("· trap.encoding",), 0, host={"encoding": "ISO-8859-1"}),
}
