"""The recorded requests to the API, sent to a whole embedded cluster: same status, same fields."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.compared import Compared, fields
from tests.conformance.flow import COMPACTED, EVENTS, EXCHANGES, Flow


def compared(flow: Flow, number: int) -> Compared:
    exchange, answer = EXCHANGES[number], flow.answers[number]
    body = answer.body
    if number == EVENTS:
        body = {**body, "rows": body["rows"][-len(exchange["response"]["rows"]) :]}  # only these were kept
    return Compared(f"exchange {number} {_where(exchange)}", _lines(exchange["status"], exchange["response"]), _lines(answer.status, body))


def _where(exchange: dict[str, Any]) -> str:
    form = next((name for name in ("Table", "APIGroupDiscoveryList") if name in exchange["accept"]), "")
    return f"{exchange['method']} {exchange['path']}{f' as {form}' if form else ''}"


def _lines(status: int, body: Any) -> tuple[str, ...]:
    return (f"status {status}", *fields(body))


SENT = [number for number in range(len(EXCHANGES)) if number not in COMPACTED]


@pytest.mark.parametrize("number", SENT, ids=lambda n: f"{n} {_where(EXCHANGES[n])}")
def test_an_answer_has_the_recorded_status_and_fields(flow: Flow, number: int) -> None:
    compared(flow, number).check()
