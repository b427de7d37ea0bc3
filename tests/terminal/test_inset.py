"""The live picture below the commands of a step in the tour."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from kubetour.checks import Proof
from kubetour.steps import Run
from kubetour.terminal.brief import Silent
from kubetour.terminal.full import Full
from kubetour.terminal.scene import LOOKS
from kubetour.text import Text
from tests.making import step
from tests.shapes import seen
from tests.terminal.scenes import NAME, SITUATIONS
from tests.terminal.test_full import outcome

SCALE = Run(("kubectl", "scale", "deployment/web", "--replicas=3"))
BEFORE, AFTER = (seen(*SITUATIONS[name]).objects for name in ("starting", "steady"))


def presenter(is_terminal: bool) -> tuple[Full, io.StringIO]:
    stream = io.StringIO()
    console = Console(
        file=stream, force_terminal=is_terminal, color_system=None, width=80, height=24, legacy_windows=False
    )
    return Full(console, "en", {}, "kind", {"name": NAME}), stream


@pytest.mark.parametrize(
    ("name", "is_terminal", "looks"),
    [("scale", True, LOOKS), ("scale", False, ()), ("pods", True, ())],
    ids=["scaling on a terminal", "on a pipe", "another step"],
)
def test_it_is_for_steps_in_which_pods_come_and_go_and_for_terminals(
    name: str, is_terminal: bool, looks: tuple[str, ...]
) -> None:
    full, _ = presenter(is_terminal)
    assert full.watches(step(name, "true")) == looks


def test_the_steps_of_a_claim_whose_pods_move_are_shown_too() -> None:
    from dataclasses import replace

    full, _ = presenter(is_terminal=True)
    one = step("any", "true")
    assert full.watches(replace(one, claim="self-healing")) == LOOKS
    assert full.watches(replace(one, claim="layers")) == ()


def test_its_last_state_stays_once_above_the_proof() -> None:
    full, stream = presenter(is_terminal=True)
    full.watches(step("scale", "true"))
    full.changed(BEFORE)
    full.command(SCALE)
    full.line("deployment.apps/web scaled")
    full.waiting(Proof(False, Text("proof.endpoints-waiting", {"service": NAME, "ready": 1, "count": 3})))
    full.changed(AFTER)
    full.end(outcome())
    told = stream.getvalue()
    left = told[told.rindex("deployment.apps/web scaled") :]
    assert left.rstrip().endswith("✓ Declared 3, observed 3: as many ready endpoints as replicas.")
    final = left[left.rindex("\x1b[") :]  # behind the last sequence that moves or erases
    assert final.count("┌─ kubetour-worker ─") == 1
    assert "● 3 Running" in final
    assert "waiting:" not in final


def test_a_picture_in_which_nothing_changed_is_not_left() -> None:
    full, stream = presenter(is_terminal=True)
    full.watches(step("scale", "true"))
    full.changed(AFTER)
    full.command(SCALE)
    full.end(outcome())
    final = stream.getvalue()
    assert "┌─" not in final[final.rindex("\x1b[") :]


def test_before_anything_is_known_there_is_nothing_to_show() -> None:
    full, stream = presenter(is_terminal=True)
    full.watches(step("scale", "true"))
    full.changed({"nodes": ()})
    full.command(SCALE)
    full.end(outcome())
    assert "┌─" not in stream.getvalue()


def test_who_says_little_asks_for_nothing() -> None:
    silent = Silent()
    assert silent.watches(step("scale", "true")) == ()
    silent.changed({})


@pytest.mark.parametrize("name", ["scale", "pods"], ids=["with a picture", "without one"])
def test_a_run_that_ends_in_the_middle_of_a_step_gives_the_cursor_back(name: str) -> None:
    full, stream = presenter(is_terminal=True)
    full.watches(step(name, "true"))
    full.command(SCALE)
    full.waiting(Proof(False, Text("proof.endpoints-waiting", {"service": NAME, "ready": 1, "count": 3})))
    full.close()
    full.close()
    assert (stream.getvalue().count("\x1b[?25l"), stream.getvalue().count("\x1b[?25h")) == (1, 1)
