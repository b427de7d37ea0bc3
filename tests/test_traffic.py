"""Requests to the Service, and what they came to."""

from __future__ import annotations

import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from invoke.context import Context

from kubetour.project import ROOT
from kubetour.providers import Ports, Provider
from kubetour.state import State
from kubetour.tools import python
from kubetour.traffic import MOST_LINES, Requests
from tests.making import TOOLS, make_provider, output

PATIENCE = 30.0
PODS = ("web-1-aaaaa", "web-1-bbbbb")


def requests(c: Context, directory: Path, rate: int = 2, port: int = 1) -> Requests:
    return Requests(c, State(directory / "state"), provider(port), rate)


def provider(port: int) -> Provider:
    """Return a provider whose Service answers at a port of this machine, or at none."""
    call = (python(), "-m", "kubetour.curl")
    tools = replace(TOOLS["embedded"], python=python(), kubectl="false", curl=call)
    return replace(make_provider("embedded", tools), ports=Ports(host=port))


@pytest.mark.parametrize(
    ("status", "stdout", "stderr", "answered", "failed", "is_on"),
    [
        (0, "hit web-1-aaaaa\nhit web-1-bbbbb\n", "", 2, 0, True),
        (7, "hit web-1-aaaaa\n", "curl: (7) refused\n", 1, 1, True),
        (0, "hit web-1-aaaaa\n", "curl: (22) 503\n", 1, 1, True),
        (28, "", "curl: (28) late\ncurl: (28) late\n", 0, 2, False),
        (127, "", "sh: curl: not found\n", 0, 2, False),
    ],
    ids=["all", "the last one failed", "the first one failed", "none", "curl could not be run"],
)
def test_what_curl_says_is_counted(
    c: Context,
    tmp_path: Path,
    status: int,
    stdout: str,
    stderr: str,
    answered: int,
    failed: int,
    is_on: bool,
) -> None:
    sent = requests(c, tmp_path)
    sent.take(output(stdout, status, stderr))
    assert (sent.answered, sent.failed, sent.is_on) == (answered, failed, is_on)


def test_answers_are_counted_by_pod_whatever_stands_around_the_name(c: Context, tmp_path: Path) -> None:
    sent = requests(c, tmp_path)
    for text in ("You've hit web-1-aaaaa\n" * 2, '{"host": "web-1-bbbbb"}', "web-1-aaaaa-x", "nothing\n"):
        sent.take(output(text))
    assert sent.by(PODS) == {"web-1-aaaaa": 2, "web-1-bbbbb": 1}


def test_answers_that_never_repeat_do_not_grow_without_end(c: Context, tmp_path: Path) -> None:
    sent = requests(c, tmp_path)
    sent.take(output("".join(f"{number}\n" for number in range(2 * MOST_LINES))))
    assert len(sent._lines) == MOST_LINES


class Answers(BaseHTTPRequestHandler):
    """Answers as one Pod, then as the other, and tells when enough were asked for."""

    server: Service

    def do_GET(self) -> None:
        name = PODS[self.server.count % 2]
        self.server.count += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"You've hit {name}\n".encode())
        if self.server.count >= self.server.enough:
            self.server.was_enough.set()

    def log_message(self, *args: object) -> None:
        """Keep quiet."""


class Service(ThreadingHTTPServer):
    """Something that answers where the Service's port is mapped to."""

    count = 0
    enough = 7  # one request to find the way, and those of two seconds

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.was_enough = threading.Event()


def test_so_many_requests_a_second_are_sent_by_the_way_that_gets_through(
    c: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    with Service() as service:
        thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with requests(c, tmp_path, rate=3, port=service.server_port) as sent:
                assert service.was_enough.wait(PATIENCE)
        finally:
            service.shutdown()
            thread.join()
    assert sent.answered >= 3  # those of the last second may have been broken off
    assert sent.failed == 0
    assert sum(sent.by(PODS).values()) == sent.answered


def test_no_requests_are_sent_at_a_rate_of_none(c: Context, tmp_path: Path) -> None:
    with requests(c, tmp_path, rate=0) as sent:
        assert not sent._thread.is_alive()
    assert (sent.answered, sent.failed) == (0, 0)
