"""The recorded requests to the API, sent to a whole embedded cluster: same status, same fields."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.conformance.client import Answer
from tests.conformance.compared import Compared
from tests.conformance.exchanges import lines, title
from tests.conformance.flow import COMPACTED, EXCHANGES
from tests.embedded.serving import serving

SENT = [number for number in range(len(EXCHANGES)) if number not in COMPACTED]


@pytest.mark.parametrize("place", range(len(SENT)), ids=[title(number) for number in SENT])
def test_an_answer_has_the_recorded_status_and_fields(answered: list[Compared], place: int) -> None:
    answered[place].check()


@pytest.mark.parametrize("number", COMPACTED, ids=title)
def test_what_is_compacted_is_gone(tmp_path: Path, number: int) -> None:
    """A cluster's API server compacts every five minutes, so this is asked of one alone, and compacted."""
    exchange = EXCHANGES[number]

    async def scenario() -> Answer:
        async with serving(tmp_path) as server:
            server.registry.store.compact(server.registry.store.revision)
            answer = await server.call(exchange["method"], exchange["path"])
            return Answer(answer.status, answer.json)

    here = asyncio.run(scenario())
    Compared(title(number), lines(Answer(exchange["status"], exchange["response"])), lines(here)).check()
