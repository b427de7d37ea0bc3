"""What a tour would take: told from facts, and the same as what `choosing` then takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from invoke.context import Context

from kubetour import choosing, engines, tools
from kubetour.daemons import Daemon
from kubetour.engines import Abilities, Engine
from kubetour.errors import KubetourError, ToolError
from kubetour.forecast import first, forecast
from kubetour.machine import Machine, Program
from kubetour.settings import Settings
from kubetour.tools import Tool

DOCKER, PODMAN = Engine("docker", version="29.0.0"), Engine("podman", version="5.4.0")
DOWN, HANGS = Engine("docker", "engine-daemon"), Engine("podman", "engine-hangs")


def machine(*found: Engine, kind: bool = True, minikube: bool = False) -> Machine:
    makers = {name: Program(Tool(f"/usr/bin/{name}", "1.38.1")) for name in ("kind", "minikube")}
    here: dict[str, Any] = {
        name: program for name, program in makers.items() if {"kind": kind, "minikube": minikube}[name]
    }
    return Machine(daemons=tuple(map(Daemon, found)), **here)


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        ((), "auto", Engine("docker", "engine-absent")),
        ((DOCKER, PODMAN), "auto", DOCKER),
        ((DOWN, PODMAN), "auto", PODMAN),
        ((DOWN, HANGS), "auto", DOWN),
        ((HANGS,), "auto", HANGS),
        ((DOCKER, PODMAN), "podman", PODMAN),
        ((DOCKER,), "nerdctl", Engine("nerdctl", "engine-absent")),
    ],
)
def test_the_first_engine_that_works_is_taken(
    found: tuple[Engine, ...], wanted: str, expected: Engine
) -> None:
    assert first(machine(*found), wanted).engine == expected


@pytest.mark.parametrize(
    "found", [(), (DOCKER,), (DOWN,), (DOWN, PODMAN), (Engine("nerdctl", version="2.1.0"),)], ids=str
)
@pytest.mark.parametrize(("kind", "minikube"), [(True, False), (False, False), (False, True), (True, True)])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"provider": "kind"},
        {"provider": "minikube"},
        {"provider": "embedded"},
        {"provider": "context", "context": "gke_example"},
        {"engine": "podman"},
        {"engine": "nerdctl"},
    ],
    ids=str,
)
def test_the_forecast_is_what_is_chosen(
    found: tuple[Engine, ...],
    kind: bool,
    minikube: bool,
    asked: dict[str, Any],
    c: Context,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Offline: what a download would bring is not known beforehand."""

    def finding(there: bool, found: Tool | str) -> Callable[[bool, object], Tool | str]:
        def find(offline: bool, say: object) -> Tool | str:
            if there:
                return found
            raise ToolError("tool-offline", tool=str(found))

        return find

    facts = machine(*found, kind=kind, minikube=minikube)
    settings = Settings(offline=True, **asked)
    monkeypatch.setattr(tools, "kubectl", lambda offline, say: "kubectl")
    monkeypatch.setattr(tools, "kind", finding(kind, Tool("kind", "0.32.0")))
    monkeypatch.setattr(tools, "minikube", finding(minikube, "minikube"))
    monkeypatch.setattr(engines, "abilities", lambda c, name: Abilities((), (), False))
    monkeypatch.setattr(engines, "find", lambda c, wanted: first(facts, wanted).engine)
    plan = forecast(facts, settings)
    try:
        name, _, reason = choosing.choose(c, settings, lambda text: None)
    except KubetourError:
        assert plan.provider == settings.provider, "what was asked for is not replaced"
        return
    assert (plan.provider, plan.reason) == (name, reason)


def test_a_context_stands_for_its_provider() -> None:
    assert forecast(machine(DOCKER), Settings(context="gke_example")).provider == "context"


def test_a_kind_that_can_be_downloaded_counts() -> None:
    assert forecast(machine(DOCKER, kind=False), Settings()).provider == "kind"
