"""From flags to a provider: which one, why, and on which ports."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from invoke.context import Context

from kubetour import probe, session, tools
from kubetour.errors import EngineError, KubetourError, ToolError
from kubetour.probe import Abilities, Engine
from kubetour.project import ROOT
from kubetour.settings import Settings
from kubetour.state import State

WORKS = Engine("docker", version="29.1.0")
ABLE = Abilities(("--provenance=false",), ("--platform", "linux/amd64"), True)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Return a machine with kubectl and kind, whose engine a test may choose."""
    monkeypatch.setattr(tools, "kubectl", lambda offline, say: "kubectl")
    monkeypatch.setattr(tools, "kind", lambda offline, say: "kind")
    monkeypatch.setattr(probe, "abilities", lambda c, name: ABLE)
    monkeypatch.setattr(probe, "engine", lambda c: WORKS)
    return monkeypatch


def choose(c: Context, **settings: object) -> tuple[str, str]:
    name, _, reason = session.choose(c, Settings(**settings), lambda text: None)  # type: ignore[arg-type]
    return name, getattr(reason.values.get("why"), "key", "")


def test_auto_takes_kind_where_an_engine_answers(machine: pytest.MonkeyPatch, c: Context) -> None:
    assert choose(c) == ("kind", "tour.why.engine")


@pytest.mark.parametrize("trouble", ["engine-absent", "engine-daemon", "engine-hangs", "engine-permission"])
def test_auto_takes_embedded_where_none_does_and_says_why(
    machine: pytest.MonkeyPatch, c: Context, trouble: str
) -> None:
    machine.setattr(probe, "engine", lambda c: Engine("docker", trouble))
    assert choose(c) == ("embedded", f"tour.why.{trouble}")


def test_auto_takes_embedded_where_kind_is_not_to_be_had(machine: pytest.MonkeyPatch, c: Context) -> None:
    def missing(offline: bool, say: object) -> str:
        raise ToolError("kind-missing", least="0.20")

    machine.setattr(tools, "kind", missing)
    assert choose(c) == ("embedded", "tour.why.no-kind")
    with pytest.raises(ToolError):
        choose(c, provider="kind")


@pytest.mark.parametrize("provider", ["kind", "context"])
def test_a_provider_that_was_asked_for_is_not_replaced(
    machine: pytest.MonkeyPatch, c: Context, provider: str
) -> None:
    machine.setattr(probe, "engine", lambda c: Engine("docker", "engine-daemon"))
    with pytest.raises(EngineError) as error:
        choose(c, provider=provider)
    assert error.value.key == "engine-daemon"


def test_embedded_asks_no_engine(machine: pytest.MonkeyPatch, c: Context) -> None:
    def unexpected(c: Context) -> Engine:
        raise AssertionError("the engine was asked")

    machine.setattr(probe, "engine", unexpected)
    assert choose(c, provider="embedded")[0] == "embedded"


def test_the_engines_abilities_reach_the_commands(machine: pytest.MonkeyPatch, c: Context) -> None:
    _, found, _ = session.choose(c, Settings(provider="kind"), lambda text: None)
    assert (found.build_flags, found.save_flags, found.containerd_store) == (
        ABLE.build_flags,
        ABLE.save_flags,
        True,
    )


def test_a_context_has_to_be_named_on_the_command_line(
    machine: pytest.MonkeyPatch, c: Context, tmp_path: Path
) -> None:
    machine.setenv("KUBETOUR_CONTEXT", "production")
    machine.setattr(probe, "engine", lambda c: Engine("docker", "engine-daemon"))  # refused all the same
    state = State(tmp_path)
    resolved = session.settle(c, {}, state)
    with pytest.raises(KubetourError) as error:
        session.open_session(c, resolved, state, lambda text: None)
    assert error.value.key == "context-unnamed"


def test_a_port_that_is_taken_is_passed_over_and_a_kept_one_is_not(tmp_path: Path) -> None:
    state = State(tmp_path)
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        taken = busy.getsockname()[1]
        settings = Settings(port=taken)
        assert session._ports(settings, "embedded", state).container != taken
        state.add("embedded-container/kubetour-node-hostname")
        state.keep_ports({"container": taken})
        assert session._ports(settings, "embedded", state).container == taken


def test_a_path_on_the_command_line_is_meant_from_where_it_was_typed(
    machine: pytest.MonkeyPatch, c: Context, tmp_path: Path
) -> None:
    machine.setenv("KUBETOUR_CWD", str(tmp_path))
    resolved = session.settle(c, {"app_dir": "shop"}, State(tmp_path))
    assert (ROOT / resolved.settings.app_dir).resolve() == tmp_path / "shop"
