from __future__ import annotations

import logging

import pytest

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.clock import Clock
from kubetour.embedded.controller import Controller, Informers, Key, _rest, key_of
from tests.embedded.controlplane import ControlPlane, pod, scenario


class Recorder(Controller[Key]):
    def __init__(self, api: Informers, clock: Clock) -> None:
        super().__init__(api, clock)
        self.calls: list[tuple[float, str]] = []
        self.failures: list[Exception] = []
        self.follow("pods", self._changed)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        self.queue.add(key_of(new or old or {}))

    def sync(self, key: Key) -> None:
        self.calls.append((self.clock.monotonic(), key.name))
        if self.failures:
            raise self.failures.pop(0)


@scenario(Recorder)
async def test_every_object_is_looked_at_once_at_the_start(plane: ControlPlane) -> None:
    for name in ("a", "b"):
        plane.registry.create("pods", pod(name))
    await plane.settle()
    assert plane.components[1].calls == [(0, "a"), (0, "b")]


@pytest.mark.parametrize(
    ("failure", "logged"),
    [
        (StatusError(409, "Conflict", "changed meanwhile"), ""),
        (StatusError(422, "Invalid", "bad object"), "bad object"),
        (KeyError("bug"), "unexpected error"),
    ],
    ids=["conflict", "invalid", "bug"],
)
@scenario(Recorder)
async def test_a_failed_sync_is_tried_again_and_ends_nothing(
    plane: ControlPlane, failure: Exception, logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    recorder = plane.components[1]
    recorder.failures = [failure]
    plane.registry.create("pods", pod("a"))
    await plane.settle()
    assert len(recorder.calls) == 1
    await plane.settle(0.005)
    assert len(recorder.calls) == 2
    await plane.settle(60)
    assert len(recorder.calls) == 2
    assert (logged in caplog.text) if logged else not caplog.records


@pytest.mark.parametrize(
    ("took", "partly", "rest"),
    [(0.001, False, 0.0), (0.02, False, 0.38), (2.0, False, 1.0), (0.001, True, 0.001), (2.0, True, 2.0)],
    ids=["a short one", "a long one", "a very long one", "a short part", "a long part"],
)
def test_after_a_sync_its_key_rests(took: float, partly: bool, rest: float) -> None:
    assert _rest(took, partly=partly) == pytest.approx(rest)
