"""The probes of one container over its restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from kubetour.embedded.clock import SystemClock
from kubetour.embedded.container import RUNNING, Container
from kubetour.embedded.kubelet_container import ContainerSlot
from kubetour.embedded.kubelet_prober import Prober

Run = Callable[[list[str], float], Awaitable[tuple[int, bytes]]]
Tell = Callable[[ContainerSlot, str, str], None]


class NoTime(SystemClock):
    """A machine's clock, but nobody waits."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


def attempt(identity: str) -> Container:
    return Container(identity, "c", "app:1", "", ["app"], {}, "/", "", state=RUNNING)


def slot(**probes: Any) -> ContainerSlot:
    found = ContainerSlot({"name": "c", "image": "app:1", **probes})
    found.take(attempt("first"))
    return found


def prober(run: Run, changed: Callable[[], None], tell: Tell = lambda *_: None) -> Prober:
    return Prober(NoTime(), lambda _: lambda _: ("127.0.0.1", 1), lambda _: run, changed, tell)


def test_a_probe_that_could_not_be_made_is_made_again() -> None:
    async def scenario() -> None:
        changed, asked = asyncio.Event(), []

        async def run(argv: list[str], timeout: float) -> tuple[int, bytes]:
            asked.append(argv)
            if len(asked) == 1:
                raise ValueError("embedded null byte")
            return 0, b""

        probed = slot(readinessProbe={"exec": {"command": ["check"]}})
        prober(run, changed.set).start(probed)
        await asyncio.wait_for(changed.wait(), 10)
        assert probed.ready
        probed.end_probes()

    asyncio.run(scenario())


def test_a_probe_goes_on_when_its_failure_could_not_be_told() -> None:
    async def scenario() -> None:
        changed, results = asyncio.Event(), iter((1, 0))

        async def run(argv: list[str], timeout: float) -> tuple[int, bytes]:
            return next(results), b""

        def tell(slot: ContainerSlot, kind: str, message: str) -> None:
            raise RuntimeError("nobody listens")

        probed = slot(readinessProbe={"exec": {"command": ["check"]}})
        prober(run, changed.set, tell).start(probed)
        await asyncio.wait_for(changed.wait(), 10)
        assert probed.ready
        probed.end_probes()

    asyncio.run(scenario())


def test_what_a_probe_of_an_ended_attempt_still_finds_is_not_said_of_the_next() -> None:
    async def scenario() -> None:
        asked, changed = asyncio.Event(), asyncio.Event()

        async def run(argv: list[str], timeout: float) -> tuple[int, bytes]:
            assert not asked.is_set(), "it goes on"
            asked.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:  # as `wait_for` of Python 3.11 takes one
                return 0, b""
            raise AssertionError("nobody sets that event")

        probed = slot(readinessProbe={"exec": {"command": ["check"]}})
        prober(run, changed.set).start(probed)
        (probe,) = probed.probes
        await asyncio.wait_for(asked.wait(), 10)
        probed.end_probes()
        probed.take(attempt("second"))
        await asyncio.wait_for(probe, 10)
        assert not probed.ready
        assert not changed.is_set()

    asyncio.run(scenario())
