"""Asking a web server on loopback: what is asked again, and what is not asked at all."""

from __future__ import annotations

import socket
from datetime import datetime, timezone
from pathlib import Path

import pytest

from kubetour import web
from kubetour.embedded import certs
from kubetour.errors import ToolError
from tests.serving import PROGRAM, FakeClock, serving


@pytest.fixture
def tls(tmp_path: Path) -> certs.Certificates:
    return certs.ensure(tmp_path / "tls", ("127.0.0.1",), datetime.now(timezone.utc))


def test_text_is_read_up_to_a_limit() -> None:
    with serving("good") as server:
        assert web.text(f"{server.url}/x", 100) == PROGRAM[:100].decode()


@pytest.mark.parametrize("url", ["http://example.com/x", "file:///etc/passwd", "ftp://example.com/x", "x"])
def test_only_https_is_asked_of_other_machines(url: str) -> None:
    with pytest.raises(ToolError, match="not https"):
        web.text(url, clock=FakeClock())


def test_a_refused_connection_is_tried_again_then_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    clock = FakeClock()
    with pytest.raises(ToolError, match="refused"):
        web.text(f"http://127.0.0.1:{port}/x", clock=clock)
    assert clock.slept == list(web.PAUSES)


@pytest.mark.parametrize(
    ("answer", "slept"),
    [
        pytest.param("429 30", [30.0, 2.0], id="as long as asked for"),
        pytest.param("503 0", [1.0, 2.0], id="never less than our own"),
        pytest.param("503 Fri, 31 Dec 2027 23:59:59 GMT", [1.0, 2.0], id="a date"),
    ],
)
def test_a_server_may_say_how_long_to_wait(answer: str, slept: list[float]) -> None:
    clock = FakeClock()
    with serving(answer, "503", "good") as server:
        web.text(server.url, clock=clock)
    assert clock.slept == slept


def test_a_server_that_asks_for_too_long_is_not_waited_for() -> None:
    clock = FakeClock()
    with serving("429 3600", "good") as server, pytest.raises(ToolError, match="HTTP 429"):
        web.text(server.url, clock=clock)
    assert clock.slept == []


def test_over_tls_it_answers(tls: certs.Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.ca))
    with serving("good", tls=tls.server_context()) as server:
        assert server.url.startswith("https:")
        assert web.text(server.url, 100) == PROGRAM[:100].decode()


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(tls: certs.Certificates) -> None:
    clock = FakeClock()
    with serving("good", tls=tls.server_context()) as server, pytest.raises(ToolError, match="CERTIFICATE"):
        web.text(server.url, clock=clock)
    assert clock.slept == []
    assert server.asked == []


def test_from_https_no_redirect_leads_to_http(
    tls: certs.Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.ca))
    with (
        serving("good") as plain,
        serving(f"to {plain.url}/x", tls=tls.server_context()) as server,
        pytest.raises(ToolError, match="is not https"),
    ):
        web.text(server.url, clock=FakeClock())
    assert plain.asked == []


def test_a_redirect_on_this_machine_is_followed() -> None:
    with serving("good") as mirror, serving(f"to {mirror.url}/elsewhere") as server:
        web.text(server.url)
    assert mirror.asked == ["/elsewhere"]
