"""Conditions of the container engine."""

from __future__ import annotations

from collections.abc import Mapping

from kubetour.cgroups import REFUSING, version_in
from kubetour.conditions.case import Case, Values, dotted, given, numbers
from kubetour.dialects import remedies
from kubetour.pins import Version
from kubetour.proofs.common import human_size as size

# https://kind.sigs.k8s.io/docs/user/rootless/#provider-requirements; Docker's `run --cgroupns`, which kind
# always gives, came with 20.10 too: https://github.com/docker/cli/pull/2024
LEAST_ENGINE: Mapping[str, Version] = {"docker": (20, 10), "podman": (3, 0)}
LEAST_DISK = 5 * 1000**3  # bytes: a node image has more than one gigabyte, and each node unpacks its own copy
# Bytes; what kubeadm wants on every node, here for all of them:
# https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/install-kubeadm/#before-you-begin
LEAST_MEMORY = 2 * 1000**3


def trouble(trouble: str, case: Case) -> Values | None:
    """The engine does not work, for that reason."""
    engine = case.daemon.engine
    if engine.trouble != trouble or (trouble == "engine-absent" and case.other):
        return None
    told = remedies(engine.speaks.name, engine.evidence, case.host.system)
    return {"engine": engine.name, "program": engine.name, "install": engine.speaks.install, **told}


def asked(case: Case) -> Values | None:
    """The engine that was asked for is not here, another is."""
    engine = case.daemon.engine
    return given(engine.trouble == "engine-absent" and case.other, engine=engine.name, other=case.other)


def old(case: Case) -> Values | None:
    """The engine is older than kind can use."""
    engine = case.daemon.engine
    least = LEAST_ENGINE.get(engine.dialect or engine.name, ())
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


def init(case: Case) -> Values | None:
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
    is_v1 = case.daemon.cgroup == 1 and not case.daemon.rootless and bool(case.host.wsl) is wsl
    return given(is_v1 and (version_in(case.settings.node_image) or REFUSING) >= REFUSING)


def disk(case: Case) -> Values | None:
    """Too little is free where the engine keeps images."""
    daemon = case.daemon
    values = {"free": size(daemon.disk), "least": size(LEAST_DISK), "root": daemon.root}
    return given(0 < daemon.disk < LEAST_DISK, **values, engine=daemon.engine.name)


def memory(desktop: bool, case: Case) -> Values | None:
    """The engine's machine has too little memory."""
    daemon = case.daemon
    is_little = 0 < daemon.memory < LEAST_MEMORY and daemon.desktop is desktop
    return given(is_little, memory=size(daemon.memory), least=size(LEAST_MEMORY))


def proxy(case: Case) -> Values | None:
    """The shell has a proxy, and Docker's daemon none. https://docs.docker.com/engine/daemon/proxy/"""
    daemon = case.daemon
    is_docker = (
        daemon.engine.name == "docker"
        and not daemon.engine.dialect
        and not daemon.engine.trouble
        and not daemon.desktop
    )
    return given(case.host.proxy and is_docker and not daemon.proxy, proxy=case.host.proxy)


def desktop(case: Case) -> Values | None:
    """The nodes are in Docker Desktop's virtual machine."""
    return given(case.daemon.desktop)
