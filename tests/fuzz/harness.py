"""One cluster under fire, and what must hold of every answer."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, seed, settings

from kubetour.embedded.testing import Server
from tests.fuzz.client import Answer, Client, Request
from tests.fuzz.requests import requests

# What a real API server answers with 500 or 503, too: a node that is in the API and nowhere else, an apply of
# fields that there are not, an eviction that two budgets are about, a proxy to what nobody listens at.
EXPECTED = (
    b"the kubelet of node",
    b"names no kubelet socket",
    b"failed to create typed patch object",
    b"more than one PodDisruptionBudget",
    b"no endpoints available for service",
    b"error trying to reach service",
)


def check(request: Request, answer: Answer | None) -> None:
    """Raise AssertionError unless the answer is one that Kubernetes could have given."""
    assert answer is not None, f"no answer to {request}"
    expected = answer.status == 504 or any(text in answer.body for text in EXPECTED)
    assert answer.status < 500 or expected, f"{answer} to {request}"
    if answer.body and answer.media.startswith("application/json"):
        body = answer.json
        if answer.status >= 400:
            assert body["kind"] == "Status", f"{answer} to {request}"
            assert body["code"] == answer.status, f"{answer} to {request}"


def complaints(server: Server) -> list[str]:
    """Return what the cluster's log says of errors: of what was not expected."""
    log = (server.directory.path / "server.log").read_text(encoding="utf-8", errors="replace")
    return [line for line in log.splitlines() if " ERROR " in line or line.startswith("Traceback")]


def fire(server: Server, number: int, examples: int) -> None:
    """Send that many requests, drawn from a seed; AssertionError with the smallest one that breaks a rule."""
    with Client(server) as client:

        @seed(number)
        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(requests())
        def send(request: Request) -> None:
            check(request, client.send(request))

        send()
    assert server.is_alive, "the cluster has ended"
