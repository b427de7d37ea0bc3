"""The answers to the recorded requests beside the recorded ones."""

from __future__ import annotations

from tests.conformance.client import Answer
from tests.conformance.compared import Compared, fields
from tests.conformance.flow import EVENTS, EXCHANGES, Flow


def title(number: int) -> str:
    exchange = EXCHANGES[number]
    form = next((name for name in ("Table", "APIGroupDiscoveryList") if name in exchange["accept"]), "")
    return f"exchange {number} {exchange['method']} {exchange['path']}{f' as {form}' if form else ''}"


def lines(answer: Answer) -> tuple[str, ...]:
    return (f"status {answer.status}", *fields(answer.body))


def compared(flow: Flow) -> list[Compared]:
    """Return each answer beside the recorded."""
    found = []
    for number, answer in flow.answers.items():
        recorded = Answer(EXCHANGES[number]["status"], EXCHANGES[number]["response"])
        body = answer.body
        if number == EVENTS:  # of many rows the last were kept
            body = {**body, "rows": body["rows"][-len(recorded.body["rows"]) :]}
        here = Answer(answer.status, body)
        found.append(Compared(title(number), lines(recorded), lines(here)))
    return found
