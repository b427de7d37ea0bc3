from __future__ import annotations

import asyncio

import pytest

from kubetour.embedded.workqueue import WorkQueue
from tests.embedded.controlplane import FakeClock


async def rounds(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def waiting(queue: WorkQueue[str]) -> bool:
    return not queue.idle


def test_a_key_that_waits_is_not_added_twice() -> None:
    async def run() -> None:
        queue: WorkQueue[str] = WorkQueue(FakeClock())
        queue.add("a")
        queue.add("b")
        queue.add("a")
        assert [await queue.get(), await queue.get()] == ["a", "b"]
        queue.done("a")
        queue.done("b")
        assert queue.idle

    asyncio.run(run())


def test_a_key_added_while_it_is_worked_on_comes_back_after_that() -> None:
    async def run() -> None:
        queue: WorkQueue[str] = WorkQueue(FakeClock())
        queue.add("a")
        assert await queue.get() == "a"
        queue.add("a")
        queue.add("a")
        getter = asyncio.create_task(queue.get())
        await rounds()
        assert not getter.done()
        queue.done("a")
        assert await getter == "a"
        queue.done("a")
        assert queue.idle

    asyncio.run(run())


def test_of_several_delays_the_earliest_counts() -> None:
    async def run() -> None:
        clock = FakeClock()
        queue: WorkQueue[str] = WorkQueue(clock)
        for seconds in (30, 10, 20):
            queue.add_after("a", seconds)
            await rounds()
        clock.advance(9)
        await rounds()
        assert not waiting(queue)
        clock.advance(1)
        await rounds()
        assert await queue.get() == "a"
        queue.done("a")
        clock.advance(100)
        await rounds()
        assert not waiting(queue)
        queue.close()

    asyncio.run(run())


def test_failures_in_a_row_double_the_delay_up_to_a_limit_until_forgotten() -> None:
    async def run() -> None:
        clock = FakeClock()
        queue: WorkQueue[str] = WorkQueue(clock)

        async def delay() -> float:
            queue.add_rate_limited("a")
            await rounds()
            began = clock.monotonic()
            while queue.idle:
                clock.advance(0.005)
                await rounds(3)
            queue.done(await queue.get())
            return clock.monotonic() - began

        assert [await delay() for _ in range(4)] == pytest.approx([0.005, 0.01, 0.02, 0.04], abs=0.006)
        queue.forget("a")
        assert await delay() == pytest.approx(0.005, abs=0.006)
        for _ in range(30):
            queue.add_rate_limited("a")
        await rounds()
        assert not waiting(queue)
        clock.advance(30)
        await rounds()
        assert waiting(queue)
        queue.close()

    asyncio.run(run())


def test_a_key_that_rests_collects_what_is_added_meanwhile() -> None:
    async def run() -> None:
        clock = FakeClock()
        queue: WorkQueue[str] = WorkQueue(clock)
        queue.add("a")
        queue.done_after(await queue.get(), 1.0)
        queue.add("a")
        queue.add("b")
        queue.add("a")
        assert await queue.get() == "b"
        queue.done_after("b", 0.001)
        getter = asyncio.create_task(queue.get())
        await rounds()
        assert not getter.done()
        clock.advance(1)
        assert await getter == "a"
        queue.done("a")
        assert queue.idle

    asyncio.run(run())


def test_closing_leaves_no_timer_behind() -> None:
    async def run() -> None:
        queue: WorkQueue[str] = WorkQueue(FakeClock())
        queue.add_after("a", 5)
        queue.done_after("b", 5)
        await rounds()
        queue.close()
        await rounds()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())
