"""The known traps: where each begins, and how bad it is for whom. Whole machines are in test_doctor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kubetour.conditions.case import numbers
from kubetour.daemons import Daemon
from kubetour.engines import Engine
from kubetour.machine import Machine, Program
from kubetour.settings import Settings
from kubetour.tools import Tool
from kubetour.traps import TRAPS, Severity, Trap, find
from tests.broken import GB, SOUND_HOST

DOCKER = Daemon(
    Engine("docker", version="29.0.0"),
    "/usr/bin/docker",
    cgroup=2,
    memory=16 * GB,
    root="/var/lib/docker",
    disk=80 * GB,
)
SOUND = Machine(
    SOUND_HOST,
    (DOCKER,),
    kubectl=Program(Tool("/usr/bin/kubectl", "1.36.4")),
    kind=Program(Tool("/usr/bin/kind", "0.32.0")),
    node=Program(Tool("/usr/bin/node", "24.1.0")),
    curl=Program(Tool("/usr/bin/curl", "8.14.1")),
)


def keys(machine: Machine, **settings: Any) -> list[str]:
    return [item.trap.key for item in find(machine, Settings(**settings))]


def on_host(**facts: Any) -> Machine:
    return replace(SOUND, host=replace(SOUND_HOST, **facts))


def with_docker(version: str = "29.0.0", **facts: Any) -> Machine:
    return replace(SOUND, daemons=(replace(DOCKER, engine=Engine("docker", version=version), **facts),))


@pytest.mark.fault("F36")
@pytest.mark.parametrize(
    ("just_enough", "too_little", "trap"),
    [
        (on_host(instances=512), on_host(instances=511), "trap.inotify"),
        (on_host(watches=524288), on_host(watches=524287), "trap.inotify"),
        (on_host(disk=200_000_000), on_host(disk=199_999_999), "trap.project-full"),
        (with_docker(disk=5 * GB), with_docker(disk=5 * GB - 1), "trap.disk"),
        (with_docker(memory=2 * GB), with_docker(memory=2 * GB - 1), "trap.memory"),
        (with_docker("20.10.0"), with_docker("20.9.99"), "trap.engine-old"),
    ],
)
def test_a_trap_begins_where_its_source_says(just_enough: Machine, too_little: Machine, trap: str) -> None:
    assert keys(just_enough) == []
    assert keys(too_little) == [trap]


@pytest.mark.parametrize(
    "machine",
    [
        on_host(instances=0, watches=0, disk=0, memory=0, cgroup=0),
        with_docker(disk=0, memory=0, cgroup=0, root=""),
        with_docker("a development build"),
    ],
    ids=["of the machine", "of the engine", "of the version"],
)
def test_what_is_not_known_is_no_trap(machine: Machine) -> None:
    assert keys(machine) == []


@pytest.mark.parametrize(
    ("machine", "settings", "expected"),
    [
        (on_host(instances=128), {"provider": "embedded"}, []),
        (on_host(instances=128), {"workers": 0}, []),
        (with_docker(desktop=True, memory=16 * GB), {}, ["trap.desktop-network"]),
        (
            replace(with_docker(endpoint="ssh://a"), host=replace(SOUND_HOST, instances=1)),
            {},
            ["trap.engine-elsewhere"],
        ),
        (with_docker(cgroup=1), {"provider": "context", "context": "a"}, []),
        (with_docker(cgroup=1), {}, ["trap.cgroup-v1"]),
        (with_docker(cgroup=1), {"node_image": "kindest/node:v1.34.0"}, []),
        (with_docker(cgroup=1), {"node_image": "kindest/node:v1.35.0"}, ["trap.cgroup-v1"]),
        (with_docker(cgroup=1, rootless=True), {}, ["trap.rootless-cgroup"]),
        (with_docker(limits=False), {}, []),
        (with_docker(containerd_store=True), {}, []),
        (with_docker(containerd_store=True, saves_platform=False), {}, ["trap.containerd-store"]),
        (on_host(proxy="http://a:1", no_proxy="*"), {}, ["trap.proxy-engine"]),
        (on_host(proxy="http://a:1", no_proxy=".svc, 127.0.0.0/8"), {}, ["trap.proxy-engine"]),
        (on_host(proxy="http://a:1", no_proxy="x127.0.0.1"), {"provider": "embedded"}, ["trap.no-proxy"]),
        (on_host(kubeconfig="~/.kube/config"), {}, []),
        (replace(SOUND, kind=Program()), {"offline": True, "provider": "embedded"}, []),
        (SOUND, {"offline": True, "provider": "minikube"}, ["error.tool-offline"]),
        (SOUND, {"provider": "minikube"}, []),
    ],
)
def test_a_trap_applies_only_where_it_matters(
    machine: Machine, settings: dict[str, Any], expected: list[str]
) -> None:
    assert keys(machine, **settings) == expected


@pytest.mark.parametrize("trouble", ["engine-absent", "engine-daemon", "engine-hangs", "engine-permission"])
@pytest.mark.parametrize(
    ("settings", "stops"),
    [({}, False), ({"provider": "kind"}, True), ({"provider": "context", "context": "a"}, True)],
    ids=["auto", "kind", "context"],
)
def test_an_engine_that_does_not_work_stops_who_asked_for_it(
    trouble: str, settings: dict[str, Any], stops: bool
) -> None:
    daemons = () if trouble == "engine-absent" else (Daemon(Engine("docker", trouble)),)
    (found,) = find(replace(SOUND, daemons=daemons), Settings(**settings))
    assert found.trap.key == f"error.{trouble}"
    assert (found.severity is Severity.STOPS) is stops


def test_the_embedded_cluster_asks_for_no_engine() -> None:
    assert keys(replace(SOUND, daemons=()), provider="embedded") == []


def test_the_worst_comes_first() -> None:
    machine = replace(on_host(encoding="ascii", instances=1, unwritable="full"), curl=Program())
    severities = [item.severity for item in find(machine, Settings())]
    assert severities == [Severity.STOPS, Severity.BREAKS, Severity.NOTE, Severity.NOTE]


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.key)
def test_a_trap_that_stops_a_tour_has_an_exit_status(trap: Trap) -> None:
    assert (trap.severity is Severity.STOPS) is bool(trap.exit_status)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("29.0.0", (29, 0, 0)),
        ("20.10.24+dfsg1", (20, 10, 24)),
        ("4.9.3~rc1", (4, 9, 3)),
        ("5.0.0-dev", (5, 0, 0)),
        ("dev", (10**6,)),
        ("", (10**6,)),
    ],
)
def test_the_numbers_of_a_version_are_read(text: str, expected: tuple[int, ...]) -> None:
    assert numbers(text) == expected
