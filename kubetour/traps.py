"""The known traps of a machine: when each applies and how bad it is. `text/traps_*` has its texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial

from kubetour.conditions import engine, host, program
from kubetour.conditions.case import Case, Values
from kubetour.forecast import forecast
from kubetour.machine import Machine
from kubetour.settings import Settings


class Severity(Enum):
    """How bad a trap is, and how `doctor` marks it."""

    STOPS = "✗"  # the tour would end with this
    BREAKS = "!"  # the tour may break on this
    NOTE = "·"  # worth knowing


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


S, B, N = Severity.STOPS, Severity.BREAKS, Severity.NOTE
ENGINE = "kind minikube context"  # what needs a container engine
TRAPS = (
    Trap("trap.unwritable", S, "", host.unwritable, 10),
    Trap("error.engine-absent", S, ENGINE, partial(engine.trouble, "engine-absent"), 3, N),
    Trap("trap.engine-asked", S, ENGINE, engine.asked, 3, N),
    Trap("error.engine-daemon", S, ENGINE, partial(engine.trouble, "engine-daemon"), 4, B),
    Trap("error.engine-hangs", S, ENGINE, partial(engine.trouble, "engine-hangs"), 4, B),
    Trap("error.engine-permission", S, ENGINE, partial(engine.trouble, "engine-permission"), 4, B),
    Trap("trap.windows-containers", S, ENGINE, engine.windows_containers, 4),
    Trap("error.tool-offline", S, "", partial(program.offline_without, "kubectl"), 3),
    Trap("trap.kind-offline", S, "kind", partial(program.offline_without, "kind"), 3, N),
    Trap("error.tool-offline", S, "minikube", partial(program.offline_without, "minikube"), 3),
    Trap("trap.processor", S, "kind", host.processor, 4),
    # kind refuses these two by itself: https://kind.sigs.k8s.io/docs/user/rootless/#host-requirements
    Trap("trap.rootless-cgroup", S, "kind", engine.rootless_cgroup, 4),
    Trap("trap.rootless-limits", S, "kind", engine.rootless_limits, 4),
    Trap("trap.node-missing", S, "embedded", program.node_missing, 3),
    Trap("trap.node-broken", S, "embedded", program.node_broken, 3),
    Trap("trap.curl-broken", S, "", program.curl_broken, 3),
    Trap("trap.kubeconfig", S, "context", host.kubeconfig, 5),
    Trap("trap.node-old", B, "embedded", program.node_old),
    Trap("trap.project-full", B, "", host.project_full),
    Trap("trap.engine-old", B, "kind", engine.old),
    Trap("trap.disk", B, "kind", engine.disk),
    Trap("trap.memory", B, "kind", partial(engine.memory, False)),
    Trap("trap.memory-desktop", B, "kind", partial(engine.memory, True)),
    Trap("trap.inotify", B, "kind", host.inotify),
    Trap("trap.containerd-store", B, "kind", engine.containerd_store),  # kubernetes-sigs/kind#3795
    # https://kind.sigs.k8s.io/docs/user/known-issues/ has these two
    Trap("trap.docker-init", B, "kind", engine.init),
    Trap("trap.snap", B, ENGINE, engine.snap),
    Trap("trap.engine-elsewhere", B, ENGINE, engine.elsewhere),
    Trap("trap.proxy-engine", B, ENGINE, engine.proxy),
    Trap("trap.cgroup-v1", N, "kind", partial(engine.cgroup, False)),
    Trap("trap.cgroup-v1-wsl", N, "kind", partial(engine.cgroup, True)),
    Trap("trap.passed-over", N, "", partial(program.passed_over, "kubectl")),
    Trap("trap.passed-over", N, "", partial(program.passed_over, "kind")),
    Trap("trap.curl-missing", N, "", program.curl_missing),
    Trap("trap.no-proxy", N, "", host.no_proxy),
    Trap("trap.wsl1", N, "", host.wsl1),
    Trap("trap.wsl-drive", N, "", host.wsl_drive),
    # https://kind.sigs.k8s.io/docs/user/known-issues/#docker-desktop-for-macos-and-windows
    Trap("trap.desktop-network", N, "kind", engine.desktop),
    Trap("trap.encoding", N, "", host.encoding),
)
