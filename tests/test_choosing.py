"""Which provider, with which tools, and why."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from invoke.context import Context

from kubetour import choosing, engines, tools
from kubetour.engines import Engine
from kubetour.errors import ClusterError, EngineError, Interrupted, ToolError
from kubetour.interrupts import signals
from kubetour.providers import Tools
from kubetour.runner import perform
from kubetour.settings import Settings
from kubetour.steps import Run
from kubetour.text import Text
from kubetour.tools import Tool
from tests.making import ABLE, ctrl_c, make_provider, put


def choose(c: Context, **settings: object) -> tuple[str, str]:
    name, _, reason = choosing.choose(c, Settings(**settings), lambda text: None)  # type: ignore[arg-type]
    return name, getattr(reason.values.get("why"), "key", "")


def test_auto_takes_kind_where_an_engine_answers(machine: pytest.MonkeyPatch, c: Context) -> None:
    assert choose(c) == ("kind", "tour.why.engine")


@pytest.mark.parametrize("trouble", ["engine-absent", "engine-daemon", "engine-hangs", "engine-permission"])
def test_auto_takes_embedded_where_none_does_and_says_why(
    machine: pytest.MonkeyPatch, c: Context, trouble: str
) -> None:
    machine.setattr(engines, "find", lambda c, wanted: Engine("docker", trouble))
    assert choose(c) == ("embedded", f"tour.why.{trouble}")


def test_auto_takes_embedded_where_neither_kind_nor_minikube_is_to_be_had(
    machine: pytest.MonkeyPatch, c: Context
) -> None:
    machine.setattr(tools, "kind", missing)
    machine.setattr(tools, "minikube", no_minikube)
    assert choose(c) == ("embedded", "tour.why.no-kind")
    with pytest.raises(ToolError):
        choose(c, provider="kind")


@pytest.mark.parametrize("provider", ["kind", "minikube", "context"])
def test_a_provider_that_was_asked_for_is_not_replaced(
    machine: pytest.MonkeyPatch, c: Context, provider: str
) -> None:
    machine.setattr(engines, "find", lambda c, wanted: Engine("docker", "engine-daemon"))
    machine.setattr(choosing, "server", lambda c, kubectl, context: Text("tour.chosen"))
    with pytest.raises(EngineError) as error:
        choose(c, provider=provider)
    assert error.value.key == "engine-daemon"


def missing(offline: bool, say: object) -> str:
    """Find no kind."""
    raise ToolError("kind-missing", least="0.20")


def no_minikube(offline: bool, say: object) -> str:
    """Find no minikube."""
    raise ToolError("minikube-missing", least="1.30", variable="KUBETOUR_MINIKUBE_URL")


def put_minikube(monkeypatch: pytest.MonkeyPatch, directory: Path, answer: str) -> None:
    """Put a minikube on PATH that answers every command by a line of shell, and keeps what it was asked."""
    program = directory / "minikube"
    program.write_text(f'#!/bin/sh\necho "$*" >> {directory}/asked\n{answer}\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(tools, "minikube", lambda offline, say: "minikube")


def test_auto_takes_minikube_only_where_kind_is_not_to_be_had(
    machine: pytest.MonkeyPatch, c: Context, tmp_path: Path
) -> None:
    put_minikube(machine, tmp_path, "exit 85")
    offline: list[bool] = []

    def found(offline_: bool, say: object) -> str:
        offline.append(offline_)
        return "minikube"

    machine.setattr(tools, "minikube", found)
    assert choose(c) == ("kind", "tour.why.engine")
    machine.setattr(tools, "kind", missing)
    assert choose(c) == ("minikube", "tour.why.minikube")
    assert offline == [True], "a minikube that nobody asked for must not be downloaded"
    machine.setattr(engines, "find", lambda c, wanted: Engine("nerdctl", version="2.1.0"))
    assert choose(c) == ("embedded", "tour.why.no-kind")


def test_ctrl_c_while_a_provider_is_looked_for_chooses_no_other(
    machine: pytest.MonkeyPatch, c: Context, tmp_path: Path
) -> None:
    put_minikube(machine, tmp_path, ctrl_c())
    machine.setattr(tools, "kind", missing)
    with signals(), pytest.raises(Interrupted):
        choose(c)
    assert (tmp_path / "asked").exists()
    docker = put(tmp_path, "docker", ctrl_c())
    machine.setattr(tools, "kind", lambda offline, say: Tool("kind", "0.32.0"))
    machine.setattr(choosing, "gives_addresses", lambda c, engine: perform(c, Run((docker, "ps"))))
    with signals(), pytest.raises(Interrupted):
        choose(c)


def test_minikube_that_was_asked_for_and_is_not_to_be_had_is_an_error(
    machine: pytest.MonkeyPatch, c: Context
) -> None:
    machine.setattr(tools, "minikube", no_minikube)
    with pytest.raises(ToolError) as error:
        choose(c, provider="minikube")
    assert error.value.key == "minikube-missing"


def test_an_engine_that_is_no_driver_of_minikube_is_refused(
    machine: pytest.MonkeyPatch, c: Context, tmp_path: Path
) -> None:
    put_minikube(machine, tmp_path, "exit 85")
    machine.setattr(engines, "find", lambda c, wanted: Engine("nerdctl", version="2.1.0"))
    with pytest.raises(EngineError) as error:
        choose(c, provider="minikube")
    assert error.value.key == "minikube-driver"


@pytest.mark.parametrize(
    ("answer", "machines"),
    [
        ("printf 'mine\\t192.168.49.2\\nmine-m02\\t192.168.49.3\\n'", ("mine", "mine-m02")),
        ("echo '* Profile \"mine\" not found.'; exit 85", ()),
    ],
    ids=["two nodes", "no such profile"],
)
def test_the_nodes_that_a_profile_has_are_known_to_the_plan(
    machine: pytest.MonkeyPatch, c: Context, tmp_path: Path, answer: str, machines: tuple[str, ...]
) -> None:
    put_minikube(machine, tmp_path, answer)
    settings = Settings(provider="minikube", cluster_name="mine")
    name, found, _ = choosing.choose(c, settings, lambda text: None)
    assert (name, found.machines) == ("minikube", machines)
    assert (tmp_path / "asked").read_text() == "-p mine node list\n"


@pytest.mark.parametrize(
    ("engine", "user", "flags"),
    [("docker", 0, ()), ("docker", 1000, ()), ("podman", 0, ()), ("podman", 1000, ("--rootless",))],
)
def test_podman_without_root_is_not_called_by_sudo(
    machine: pytest.MonkeyPatch, c: Context, tmp_path: Path, engine: str, user: int, flags: tuple[str, ...]
) -> None:
    put_minikube(machine, tmp_path, "exit 85")
    machine.setattr(engines, "find", lambda c, wanted: Engine(engine, version="5.4.0"))
    machine.setattr(os, "geteuid", lambda: user)
    machine.setattr(sys, "platform", "linux")
    _, found, _ = choosing.choose(c, Settings(provider="minikube"), lambda text: None)
    assert (found.minikube_flags, found.root) == (flags, user == 0)


def test_the_servers_address_is_told_before_the_engine_is_asked(
    machine: pytest.MonkeyPatch, c: Context, tmp_path: Path
) -> None:
    kubeconfigs = [tmp_path / name for name in ("one", "two")]
    for number, path in enumerate(kubeconfigs):
        path.write_text(
            "apiVersion: v1\nkind: Config\n"
            f"clusters: [{{name: c{number}, cluster: {{server: 'https://192.0.2.{number}:6443'}}}}]\n"
            "users: [{name: u, user: {token: t}}]\n"
            f"contexts: [{{name: x{number}, context: {{cluster: c{number}, user: u}}}}]\n"
        )
    machine.setenv("KUBECONFIG", os.pathsep.join(map(str, kubeconfigs)))
    machine.setattr(engines, "find", lambda c, wanted: Engine("docker", "engine-daemon"))
    told: list[Text] = []
    with pytest.raises(EngineError):
        choosing.choose(c, Settings(provider="context", context="x1"), told.append)
    assert [(text.key, text.values) for text in told] == [
        ("tour.cluster", {"context": "x1", "server": "https://192.0.2.1:6443"})
    ]
    with pytest.raises(ClusterError) as error:
        choosing.choose(c, Settings(provider="context", context="nobody"), told.append)
    assert error.value.key == "context-unknown"


def test_embedded_asks_no_engine(machine: pytest.MonkeyPatch, c: Context) -> None:
    def unexpected(c: Context, wanted: str) -> Engine:
        raise AssertionError("the engine was asked")

    machine.setattr(engines, "find", unexpected)
    assert choose(c, provider="embedded")[0] == "embedded"


def test_the_engines_abilities_reach_the_commands(machine: pytest.MonkeyPatch, c: Context) -> None:
    _, found, _ = choosing.choose(c, Settings(provider="kind"), lambda text: None)
    assert (found.build_flags, found.save_flags, found.containerd_store) == (
        ABLE.build_flags,
        ABLE.save_flags,
        True,
    )


def test_kinds_version_is_kept_as_the_default_node_image_depends_on_it(
    machine: pytest.MonkeyPatch, c: Context
) -> None:
    machine.setattr(engines, "abilities", lambda c, name: replace(ABLE, cgroup=1))
    _, found, _ = choosing.choose(c, Settings(provider="kind"), lambda text: None)
    assert (found.cgroup, found.kind, found.kind_version) == (1, "kind", "0.32.0")


@pytest.mark.parametrize(
    ("runs", "images", "expected"),
    [
        (False, "kindest/node:v1.36.1", False),
        (True, "", True),
        (False, "registry.k8s.io/cloud-provider-kind/cloud-controller-manager:v0.9.0", True),
    ],
    ids=["it does not run", "as a program", "in a container"],
)
def test_cloud_provider_kind_is_found_where_it_runs(
    c: Context, tmp_path: Path, runs: bool, images: str, expected: bool
) -> None:
    docker = put(tmp_path, "docker", f"echo {images}")
    provider = put(tmp_path, "cloud-provider-kind", "echo runs; read -r end") if runs else "cat"
    with subprocess.Popen([provider], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        if runs:
            assert process.stdout.readline() == "runs\n"
        assert choosing.gives_addresses(c, docker) is expected
        process.stdin.close()


@pytest.mark.parametrize(("gives", "seconds"), [(True, 60.0), (False, 0.0)])
def test_an_address_is_waited_for_where_something_gives_one(gives: bool, seconds: float) -> None:
    kind = make_provider("kind", tools=Tools("python", gives_addresses=gives))
    assert kind.address_patience == seconds
