"""The known traps: for each, when it applies on a machine, and how bad it is. Pure; the texts are in `text`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

from kubetour.daemons import Daemon
from kubetour.engines import Engine
from kubetour.forecast import Forecast, forecast
from kubetour.machine import Host, Machine, Program
from kubetour.pins import Version, parse, pin
from kubetour.proofs.common import human_size as size
from kubetour.settings import Settings

# https://kind.sigs.k8s.io/docs/user/known-issues/#pod-errors-due-to-too-many-open-files
LEAST_INSTANCES, LEAST_WATCHES = 512, 524288
LEAST_DISK = 5 * 1000**3  # bytes: a node image has more than one gigabyte, and each node unpacks its own copy
LEAST_PROJECT = 200 * 1000**2  # bytes: records of runs, and the images of an embedded cluster
# What kubeadm wants on every node, here for all of them:
# https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/install-kubeadm/#before-you-begin
LEAST_MEMORY = 2 * 1000**3
# https://kind.sigs.k8s.io/docs/user/rootless/#provider-requirements; Docker's `run --cgroupns`, which kind always
# gives, came with 20.10 too: https://github.com/docker/cli/pull/2024
LEAST_ENGINE: Mapping[str, Version] = {"docker": (20, 10), "podman": (3, 0), "nerdctl": (1, 7)}
LEAST_NODE = (18,)  # app/app.js says so
# https://kind.sigs.k8s.io/docs/user/known-issues/#unsupported-architectures
PROCESSORS = ("amd64", "arm64")


class Severity(Enum):
    """How bad a trap is, and how `doctor` marks it."""

    STOPS = "✗"  # the tour would end with this
    BREAKS = "!"  # the tour may break on this
    NOTE = "·"  # worth knowing


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


Values = Mapping[str, Any]


@dataclass(frozen=True)
class Trap:
    """A trap: the key of its text (its fix is under `.fix`), and the values of both where it applies.

    `providers` are those that it is for, "" being any; with another it is as bad as `otherwise` says, or not
    worth a word. `exit_status` is that of a tour that it stops.
    """

    key: str
    severity: Severity
    providers: str
    applies: Callable[[Case], Values | None]
    exit_status: int = 0
    otherwise: Severity | None = None

    def severity_for(self, provider: str) -> Severity | None:
        """Return how bad it is for that provider; None where it does not matter."""
        return self.severity if provider in (self.providers or provider).split() else self.otherwise


@dataclass(frozen=True)
class Found:
    """A trap that applies: how bad it is here, and the values for its texts."""

    trap: Trap
    severity: Severity
    values: Values


def find(machine: Machine, settings: Settings) -> tuple[Found, ...]:
    """Return the traps that apply, the worst first."""
    case = Case(machine, settings, forecast(machine, settings))
    found = []
    for trap in TRAPS:
        severity = trap.severity_for(case.plan.provider)
        values = trap.applies(case) if severity else None
        if severity and values is not None:
            found.append(Found(trap, severity, values))
    order = list(Severity)
    return tuple(sorted(found, key=lambda item: order.index(item.severity)))


def _if(condition: object, **values: Any) -> Values | None:
    return values if condition else None


def _engine(trouble: str) -> Callable[[Case], Values | None]:
    def applies(case: Case) -> Values | None:
        engine = case.daemon.engine
        other = next((d for d in case.machine.daemons if not d.engine.trouble), None)
        misses = engine.trouble == trouble and not (trouble == "engine-absent" and other)
        return _if(misses, engine=engine.name, program=engine.name)

    return applies


def _engine_asked(case: Case) -> Values | None:
    other = next((d for d in case.machine.daemons if not d.engine.trouble), None)
    absent = case.daemon.engine.trouble == "engine-absent"
    return _if(absent and other, engine=case.daemon.engine.name, other=other and other.engine.name)


def _engine_old(case: Case) -> Values | None:
    engine = case.daemon.engine
    least = LEAST_ENGINE.get(engine.name, ())
    old = not engine.trouble and _version(engine.version) < least
    return _if(old, engine=engine.name, version=engine.version, least=".".join(map(str, least)))


def _disk(case: Case) -> Values | None:
    free, root = case.daemon.disk, case.daemon.root
    return _if(0 < free < LEAST_DISK, free=size(free), least=size(LEAST_DISK), root=root, engine=_name(case))


def _memory(desktop: bool) -> Callable[[Case], Values | None]:
    def applies(case: Case) -> Values | None:
        memory = case.daemon.memory
        little = 0 < memory < LEAST_MEMORY and case.daemon.desktop is desktop
        return _if(little, memory=size(memory), least=size(LEAST_MEMORY))

    return applies


def _inotify(case: Case) -> Values | None:
    host, daemon = case.host, case.daemon
    low = 0 < host.instances < LEAST_INSTANCES or 0 < host.watches < LEAST_WATCHES
    here = not daemon.desktop and not daemon.endpoint
    values = {"instances": host.instances, "watches": host.watches}
    return _if(low and here and case.settings.workers != 0, **values)


def _cgroup(wsl: bool) -> Callable[[Case], Values | None]:
    def applies(case: Case) -> Values | None:
        v1 = case.daemon.cgroup == 1 and not case.daemon.rootless
        return _if(v1 and bool(case.host.wsl) is wsl)

    return applies


def _tool(name: str) -> Callable[[Case], Values | None]:
    def applies(case: Case) -> Values | None:
        program = _program(case, name)
        return _if(case.settings.offline and program and not program.found, tool=name)

    return applies


def _passed_over(name: str) -> Callable[[Case], Values | None]:
    def applies(case: Case) -> Values | None:
        program = _program(case, name)
        least = ".".join(map(str, pin(name).least))
        return _if(program and program.passed_over, tool=name, why=_why(program), least=least)

    return applies


def _program(case: Case, name: str) -> Program | None:
    """Return a program's facts; None for kind where no engine works, as it does not matter then."""
    if name == "kind":
        return None if case.daemon.engine.trouble else case.machine.kind
    return case.machine.kubectl


def _why(program: Program | None) -> str:
    return "; ".join(program.passed_over) if program else ""


def _node_old(case: Case) -> Values | None:
    node = case.machine.node.found
    old = node and _version(node.version) < LEAST_NODE
    return _if(old, version=node and node.version, path=node and node.path, least=LEAST_NODE[0])


def _proxy_engine(case: Case) -> Values | None:
    daemon = case.daemon
    is_docker = daemon.engine.name == "docker" and not daemon.engine.trouble and not daemon.desktop
    return _if(case.host.proxy and is_docker and not daemon.proxy, proxy=case.host.proxy)


def _no_proxy(case: Case) -> Values | None:
    spared = {item.strip() for item in case.host.no_proxy.split(",")}
    return _if(case.host.proxy and not spared & {"*", "127.0.0.1", "127.0.0.0/8"}, no_proxy=case.host.no_proxy)


def _name(case: Case) -> str:
    return case.daemon.engine.name


def _version(text: str) -> Version:
    """Return a version's numbers; a very high one for a text that has none: no trap can be judged then."""
    with suppress(ValueError):
        return parse(text.split("~")[0])
    return (10**6,)


def _rootless(daemon: Daemon) -> bool:
    return daemon.rootless and not daemon.engine.trouble


S, B, N = Severity.STOPS, Severity.BREAKS, Severity.NOTE
ENGINE = "kind context"  # what needs a container engine
TRAPS = (
    Trap("trap.unwritable", S, "", lambda c: _if(c.host.unwritable, reason=c.host.unwritable), 10),
    Trap("error.engine-absent", S, ENGINE, _engine("engine-absent"), 3, N),
    Trap("trap.engine-asked", S, ENGINE, _engine_asked, 3, N),
    Trap("error.engine-daemon", S, ENGINE, _engine("engine-daemon"), 4, B),
    Trap("error.engine-hangs", S, ENGINE, _engine("engine-hangs"), 4, B),
    Trap("error.engine-permission", S, ENGINE, _engine("engine-permission"), 4, B),
    Trap("trap.windows-containers", S, ENGINE, lambda c: _if(c.daemon.windows), 4),
    Trap("error.tool-offline", S, "", _tool("kubectl"), 3),
    Trap("trap.kind-offline", S, "kind", _tool("kind"), 3, N),
    Trap("trap.processor", S, "kind", lambda c: _if(c.host.processor not in PROCESSORS, processor=c.host.processor), 4),
    # kind refuses these two by itself: https://kind.sigs.k8s.io/docs/user/rootless/#host-requirements
    Trap("trap.rootless-cgroup", S, "kind", lambda c: _if(_rootless(c.daemon) and c.daemon.cgroup == 1), 4),
    Trap("trap.rootless-limits", S, "kind", lambda c: _if(_rootless(c.daemon) and not c.daemon.limits and c.daemon.cgroup == 2), 4),
    Trap("trap.node-missing", S, "embedded", lambda c: _if(not c.machine.node.found and not c.machine.node.passed_over), 3),
    Trap("trap.node-broken", S, "embedded", lambda c: _if(c.machine.node.passed_over, why=_why(c.machine.node)), 3),
    Trap("trap.kubeconfig", S, "context", lambda c: _if(c.host.kubeconfig, path=c.host.kubeconfig), 5),
    Trap("trap.node-old", B, "embedded", _node_old),
    Trap("trap.project-full", B, "", lambda c: _if(0 < c.host.disk < LEAST_PROJECT, free=size(c.host.disk))),
    Trap("trap.engine-old", B, ENGINE, _engine_old),
    Trap("trap.disk", B, "kind", _disk),
    Trap("trap.memory", B, "kind", _memory(desktop=False)),
    Trap("trap.memory-desktop", B, "kind", _memory(desktop=True)),
    Trap("trap.inotify", B, "kind", _inotify),
    # https://github.com/kubernetes-sigs/kind/issues/3795
    Trap("trap.containerd-store", B, "kind", lambda c: _if(c.daemon.containerd_store and not c.daemon.saves_platform)),
    # https://kind.sigs.k8s.io/docs/user/known-issues/#docker-init-daemon-config
    Trap("trap.docker-init", B, "kind", lambda c: _if(c.daemon.init)),
    # https://kind.sigs.k8s.io/docs/user/known-issues/#docker-installed-with-snap
    Trap("trap.snap", B, ENGINE, lambda c: _if(c.daemon.path.startswith("/snap/"), path=c.daemon.path)),
    Trap("trap.engine-elsewhere", B, ENGINE, lambda c: _if(c.daemon.endpoint, endpoint=c.daemon.endpoint)),
    # https://docs.docker.com/engine/daemon/proxy/
    Trap("trap.proxy-engine", B, ENGINE, _proxy_engine),
    Trap("trap.cgroup-v1", N, "kind", _cgroup(wsl=False)),
    Trap("trap.cgroup-v1-wsl", N, "kind", _cgroup(wsl=True)),
    Trap("trap.passed-over", N, "", _passed_over("kubectl")),
    Trap("trap.passed-over", N, "kind", _passed_over("kind"), otherwise=N),
    Trap("trap.curl-missing", N, "", lambda c: _if(not c.machine.curl)),
    # kubectl never asks a proxy for this machine's addresses, curl does: https://pkg.go.dev/golang.org/x/net/http/httpproxy
    Trap("trap.no-proxy", N, "", _no_proxy),
    # https://learn.microsoft.com/windows/wsl/compare-versions
    Trap("trap.wsl1", N, "", lambda c: _if(c.host.wsl == 1)),
    Trap("trap.wsl-drive", N, "", lambda c: _if(c.host.wsl and c.host.project.startswith("/mnt/"), path=c.host.project)),
    # https://kind.sigs.k8s.io/docs/user/known-issues/#docker-desktop-for-macos-and-windows
    Trap("trap.desktop-network", N, "kind", lambda c: _if(c.daemon.desktop)),
    Trap("trap.encoding", N, "", lambda c: _if(not c.host.encoding.lower().startswith("utf"), encoding=c.host.encoding)),
)
