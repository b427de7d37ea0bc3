"""Conditions of the machine itself and of its variables."""

from __future__ import annotations

from kubetour.conditions.case import Case, Values, given
from kubetour.proofs.common import human_size as size

# https://kind.sigs.k8s.io/docs/user/known-issues/#pod-errors-due-to-too-many-open-files
LEAST_INSTANCES, LEAST_WATCHES = 512, 524288
LEAST_PROJECT = 200 * 1000**2  # bytes: records of runs, and the images of an embedded cluster
# https://kind.sigs.k8s.io/docs/user/known-issues/#unsupported-architectures
PROCESSORS = ("amd64", "arm64")


def unwritable(case: Case) -> Values | None:
    """Nothing can be kept in the project."""
    return given(case.host.unwritable, reason=case.host.unwritable)


def project_full(case: Case) -> Values | None:
    """Too little is free where the project is."""
    return given(0 < case.host.disk < LEAST_PROJECT, free=size(case.host.disk))


def processor(case: Case) -> Values | None:
    """There is no node image for this processor."""
    return given(case.host.processor not in PROCESSORS, processor=case.host.processor)


def inotify(case: Case) -> Values | None:
    """The engine is on this machine, which allows too little inotify for several nodes."""
    host, daemon = case.host, case.daemon
    is_low = 0 < host.instances < LEAST_INSTANCES or 0 < host.watches < LEAST_WATCHES
    matters = not daemon.desktop and not daemon.endpoint and case.settings.workers != 0
    return given(is_low and matters, instances=host.instances, watches=host.watches)


def kubeconfig(case: Case) -> Values | None:
    """The user has no kubeconfig."""
    return given(case.host.kubeconfig, path=case.host.kubeconfig)


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


def encoding(case: Case) -> Values | None:
    """What is printed is not in Unicode."""
    return given(not case.host.speaks_unicode, encoding=case.host.encoding)
