"""When each known trap applies: pure functions of what was found, giving the values for its texts or None."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kubetour.daemons import Daemon
from kubetour.engines import Engine
from kubetour.forecast import Forecast
from kubetour.machine import Host, Machine, Program
from kubetour.pins import Version, parse, pin
from kubetour.proofs.common import human_size as size
from kubetour.settings import Settings

# https://kind.sigs.k8s.io/docs/user/known-issues/#pod-errors-due-to-too-many-open-files
LEAST_INSTANCES, LEAST_WATCHES = 512, 524288
LEAST_DISK = 5 * 1000**3  # bytes: a node image has more than one gigabyte, and each node unpacks its own copy
LEAST_PROJECT = 200 * 1000**2  # bytes: records of runs, and the images of an embedded cluster
# Bytes; what kubeadm wants on every node, here for all of them:
# https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/install-kubeadm/#before-you-begin
LEAST_MEMORY = 2 * 1000**3
# https://kind.sigs.k8s.io/docs/user/rootless/#provider-requirements; Docker's `run --cgroupns`, which kind
# always gives, came with 20.10 too: https://github.com/docker/cli/pull/2024
LEAST_ENGINE: Mapping[str, Version] = {"docker": (20, 10), "podman": (3, 0), "nerdctl": (1, 7)}
LEAST_NODE = (18,)  # app/app.js says so
# https://kind.sigs.k8s.io/docs/user/known-issues/#unsupported-architectures
PROCESSORS = ("amd64", "arm64")
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


def unwritable(case: Case) -> Values | None:
    """Nothing can be kept in the project."""
    return given(case.host.unwritable, reason=case.host.unwritable)


def engine_trouble(trouble: str, case: Case) -> Values | None:
    """The engine does not work, for that reason."""
    engine = case.daemon.engine
    is_so = engine.trouble == trouble and not (trouble == "engine-absent" and case.other)
    is_so = is_so and not (trouble == "engine-daemon" and engine.name == "podman")  # which has no daemon
    return given(is_so, engine=engine.name, program=engine.name)


def engine_asked(case: Case) -> Values | None:
    """The engine that was asked for is not here, another is."""
    engine = case.daemon.engine
    return given(engine.trouble == "engine-absent" and case.other, engine=engine.name, other=case.other)


def podman(case: Case) -> Values | None:
    """podman, which has no daemon, does not work: its storage or, on macOS, its machine."""
    engine = case.daemon.engine
    return given(engine.trouble == "engine-daemon" and engine.name == "podman")


def engine_old(case: Case) -> Values | None:
    """The engine is older than kind can use."""
    engine = case.daemon.engine
    least = LEAST_ENGINE.get(engine.name, ())
    is_old = not engine.trouble and numbers(engine.version) < least
    return given(is_old, engine=engine.name, version=engine.version, least=dotted(least))


def windows_containers(case: Case) -> Values | None:
    """Docker Desktop runs Windows containers."""
    return given(case.daemon.windows)


def snap(case: Case) -> Values | None:
    """Docker is a snap package."""
    return given(case.daemon.path.startswith("/snap/"), path=case.daemon.path)


def elsewhere(case: Case) -> Values | None:
    """The daemon is on another machine."""
    return given(case.daemon.endpoint, endpoint=case.daemon.endpoint)


def containerd_store(case: Case) -> Values | None:
    """Docker cannot save what a node can import."""
    return given(case.daemon.containerd_store and not case.daemon.saves_platform)


def docker_init(case: Case) -> Values | None:
    """Docker starts an init process in nodes that have their own."""
    return given(case.daemon.init)


def rootless_cgroup(case: Case) -> Values | None:
    """The engine is rootless on cgroup v1."""
    return given(case.daemon.rootless and case.daemon.cgroup == 1)


def rootless_limits(case: Case) -> Values | None:
    """The engine is rootless, and may not limit its containers."""
    return given(case.daemon.rootless and case.daemon.cgroup != 1 and not case.daemon.limits)


def cgroup(wsl: bool, case: Case) -> Values | None:
    """The engine's machine has cgroup v1, on which new kubelets do not start by themselves."""
    return given(case.daemon.cgroup == 1 and not case.daemon.rootless and bool(case.host.wsl) is wsl)


def processor(case: Case) -> Values | None:
    """There is no node image for this processor."""
    return given(case.host.processor not in PROCESSORS, processor=case.host.processor)


def disk(case: Case) -> Values | None:
    """Too little is free where the engine keeps images."""
    daemon = case.daemon
    values = {"free": size(daemon.disk), "least": size(LEAST_DISK), "root": daemon.root}
    return given(0 < daemon.disk < LEAST_DISK, **values, engine=daemon.engine.name)


def project_full(case: Case) -> Values | None:
    """Too little is free where the project is."""
    return given(0 < case.host.disk < LEAST_PROJECT, free=size(case.host.disk))


def memory(desktop: bool, case: Case) -> Values | None:
    """The engine's machine has too little memory."""
    daemon = case.daemon
    is_little = 0 < daemon.memory < LEAST_MEMORY and daemon.desktop is desktop
    return given(is_little, memory=size(daemon.memory), least=size(LEAST_MEMORY))


def inotify(case: Case) -> Values | None:
    """The engine is on this machine, which allows too little inotify for several nodes."""
    host, daemon = case.host, case.daemon
    is_low = 0 < host.instances < LEAST_INSTANCES or 0 < host.watches < LEAST_WATCHES
    matters = not daemon.desktop and not daemon.endpoint and case.settings.workers != 0
    return given(is_low and matters, instances=host.instances, watches=host.watches)


def offline_without(name: str, case: Case) -> Values | None:
    """A program is not here and may not be downloaded."""
    program = program_of(case, name)
    return given(case.settings.offline and program and not program.found, tool=name)


def passed_over(name: str, case: Case) -> Values | None:
    """A program on PATH will not do."""
    reasons = why(program_of(case, name) or Program())
    return given(reasons, tool=name, why=reasons, least=dotted(pin(name).least))


def node_missing(case: Case) -> Values | None:
    """There is no Node."""
    return given(missing(case.machine.node))


def node_broken(case: Case) -> Values | None:
    """The Node that would be taken does not work."""
    return given(why(case.machine.node), why=why(case.machine.node))


def node_old(case: Case) -> Values | None:
    """The Node that would be taken is older than the app can use."""
    node = case.machine.node.found
    is_old = node and numbers(node.version) < LEAST_NODE
    return given(is_old, version=node and node.version, path=node and node.path, least=dotted(LEAST_NODE))


def curl_missing(case: Case) -> Values | None:
    """There is no curl."""
    return given(missing(case.machine.curl))


def curl_broken(case: Case) -> Values | None:
    """The curl that would be taken does not work."""
    return given(why(case.machine.curl), why=why(case.machine.curl))


def kubeconfig(case: Case) -> Values | None:
    """The user has no kubeconfig."""
    return given(case.host.kubeconfig, path=case.host.kubeconfig)


def proxy_engine(case: Case) -> Values | None:
    """The shell has a proxy, and Docker's daemon none. https://docs.docker.com/engine/daemon/proxy/"""
    daemon = case.daemon
    is_docker = daemon.engine.name == "docker" and not daemon.engine.trouble and not daemon.desktop
    return given(case.host.proxy and is_docker and not daemon.proxy, proxy=case.host.proxy)


def no_proxy(case: Case) -> Values | None:
    """There is a proxy, which curl would ask for this machine, too.

    Programs in Go, such as kubectl, never do: https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config.ProxyFunc
    """
    spared = {item.strip() for item in case.host.no_proxy.split(",")}
    return given(case.host.proxy and not spared & {"*", "127.0.0.1", "127.0.0.0/8"})


def wsl1(case: Case) -> Values | None:
    """This is WSL 1."""
    return given(case.host.wsl == 1)


def wsl_drive(case: Case) -> Values | None:
    """The project is on a drive of Windows: https://learn.microsoft.com/windows/wsl/filesystems"""
    return given(case.host.wsl and case.host.project.startswith("/mnt/"), path=case.host.project)


def desktop_network(case: Case) -> Values | None:
    """The nodes are in Docker Desktop's virtual machine."""
    return given(case.daemon.desktop)


def encoding(case: Case) -> Values | None:
    """What is printed is not in Unicode."""
    return given(not case.host.encoding.lower().startswith("utf"), encoding=case.host.encoding)


def program_of(case: Case, name: str) -> Program | None:
    """Return a program's facts; None for kind where no engine works, as it does not matter then."""
    if name == "kind":
        return None if case.daemon.engine.trouble else case.machine.kind
    return case.machine.kubectl


def missing(program: Program) -> bool:
    """Return whether there is no program of that name, good or bad."""
    return not program.found and not program.passed_over


def why(program: Program) -> str:
    """Return why programs were passed over."""
    return "; ".join(program.passed_over)


def numbers(text: str) -> Version:
    """Return a version's numbers, as far as it has any."""
    with suppress(ValueError):
        return parse(text.split("~", maxsplit=1)[0])
    return UNKNOWN_VERSION


def dotted(version: Version) -> str:
    """Return a version as people write it."""
    return ".".join(map(str, version))
