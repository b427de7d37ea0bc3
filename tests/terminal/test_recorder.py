"""The recorder: it changes nothing of what is shown, and keeps each call with its time."""

from __future__ import annotations

from typing import Any

import pytest

from kubetour.checks import Proof
from kubetour.terminal import recorder as recorders
from kubetour.terminal.recorder import Event, Recorder
from kubetour.text import Text
from tests.making import step

CALLS: list[tuple[str, tuple[Any, ...]]] = [
    ("begin", ("step", 1, 2, 0.5)),
    ("command", ("run",)),
    ("line", ("text",)),
    ("confirm", ("run",)),
    ("note", ("text",)),
    ("waiting", (Proof(False, Text("proof.chain")),)),
    ("end", ("outcome",)),
]


class Shown:
    """A presenter that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *told: self.told.append((name, told))


def recorder(shown: Shown) -> Recorder:
    return Recorder(shown, clock=iter([100.0, *(100.5 + n for n in range(50))]).__next__)


def test_everything_is_passed_on_and_kept_with_its_time() -> None:
    shown = Shown()
    kept = recorder(shown)
    for name, told in CALLS:
        getattr(kept, name)(*told)
    assert shown.told == CALLS
    assert kept.events == [Event(0.5 + n, name, told) for n, (name, told) in enumerate(CALLS)]


def test_what_the_watches_tell_is_passed_on_and_not_kept() -> None:
    shown = Shown()
    shown.watches = lambda step: ("pods",)  # type: ignore[attr-defined]
    kept = recorder(shown)
    assert kept.watches(step("scale", "true")) == ("pods",)
    kept.changed({"pods": ()})
    assert shown.told == [("changed", ({"pods": ()},))]
    assert kept.events == []


def test_of_very_much_output_all_is_shown_and_the_beginning_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorders, "MOST", 10)
    shown = Shown()
    kept = recorder(shown)
    for text in ("12345", "6", "789", "x"):
        kept.line(text)
    kept.end("outcome")  # type: ignore[arg-type]
    assert [told for _, told in shown.told] == [("12345",), ("6",), ("789",), ("x",), ("outcome",)]
    assert [event.told for event in kept.events] == [("12345",), ("6",), ("outcome",)]


def test_what_is_waited_for_is_kept_when_it_changes() -> None:
    shown = Shown()
    kept = recorder(shown)
    proofs = [Proof(False, Text("proof.scaled", {"ready": ready})) for ready in (1, 1, 2, 1)]
    for proof in proofs:
        kept.waiting(proof)
    assert len(shown.told) == 4
    assert [event.told[0] for event in kept.events] == [proofs[0], proofs[2], proofs[3]]


def test_what_the_shown_presenter_raises_comes_through_and_the_call_is_kept() -> None:
    class Interrupting(Shown):
        def line(self, text: str) -> None:
            raise KeyboardInterrupt

    kept = recorder(Interrupting())
    with pytest.raises(KeyboardInterrupt):
        kept.line("x")
    assert [event.name for event in kept.events] == ["line"]
