"""The stand-in for curl, against a real server on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kubetour.curl import expand, main


class Handler(BaseHTTPRequestHandler):
    """Answers with the number of the connection and the path."""

    protocol_version = "HTTP/1.1"
    connections = 0

    def setup(self) -> None:
        super().setup()
        type(self).connections += 1

    def do_GET(self) -> None:
        body = f"{self.headers.get('Connection', 'keep')} {self.path}\n".encode()
        self.send_response(404 if "missing" in self.path else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    Handler.connections = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


FLAGS = ["-sS", "--fail", "--max-time", "5", "--noproxy", "*", "-H", "Connection: close"]


def test_a_range_makes_as_many_requests_each_with_a_connection_of_its_own(
    server: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main([*FLAGS, f"{server}/?[1-7]"]) == 0
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert lines == [f"close /?{number}" for number in range(1, 8)]
    assert Handler.connections == 7


KEPT = ["-sS", "--fail", "--max-time", "5", "--noproxy", "*", "-w", r"connections: %{num_connects}\n"]


def test_without_that_header_a_connection_serves_all_requests_and_is_counted(
    server: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main([*KEPT, f"{server}/?[1-3]"]) == 0
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert lines[1::2] == ["connections: 1", "connections: 0", "connections: 0"]
    assert lines[::2] == [f"keep /?{number}" for number in range(1, 4)]
    assert Handler.connections == 1


def test_a_server_that_closes_its_connections_gets_a_new_one_each_time(
    server: str, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Handler, "protocol_version", "HTTP/1.0")
    assert main([*KEPT, f"{server}/?[1-3]"]) == 0
    assert capfdbinary.readouterr().out.count(b"connections: 1") == 3
    assert Handler.connections == 3


def test_a_kept_connection_that_the_server_has_closed_is_made_anew(
    server: str, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    # It closes without a word after each answer, as servers do with what has been idle for too long.
    monkeypatch.setattr(Handler, "handle", Handler.handle_one_request)
    assert main([*KEPT, f"{server}/?[1-3]"]) == 0
    assert capfdbinary.readouterr().out.count(b"connections: 1") == 3


def test_several_urls_are_answered_in_their_order(
    server: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main([*FLAGS, f"{server}/a", f"{server}/b?x=1", server]) == 0
    assert capfdbinary.readouterr().out == b"close /a\nclose /b?x=1\nclose /\n"


def test_an_http_error_fails_only_if_asked_to(server: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main([*FLAGS, f"{server}/missing"]) == 22
    captured = capfdbinary.readouterr()
    assert captured.out == b""
    assert captured.err == b"curl: (22) The requested URL returned error: 404\n"
    assert main(["-s", f"{server}/missing"]) == 0
    assert capfdbinary.readouterr().out == b"keep /missing\n"


def test_silence_without_show_error_is_whole(server: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["-s", "-f", f"{server}/missing"]) == 22
    assert capfdbinary.readouterr().err == b""


def test_a_refused_connection_is_7() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # held, but nothing listens
        assert main([*FLAGS, f"http://127.0.0.1:{held.getsockname()[1]}/"]) == 7


def test_a_server_that_never_answers_is_28() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert main(["-sS", "--max-time", "0.2", f"http://127.0.0.1:{silent.getsockname()[1]}/"]) == 28


def test_the_last_request_decides_the_exit_status(server: str) -> None:
    assert main([*FLAGS, f"{server}/missing", f"{server}/"]) == 0


def test_no_proxy_is_asked(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert main([*FLAGS, server]) == 0


@pytest.mark.parametrize(
    ("pattern", "urls"),
    [
        ("x", ["x"]),
        ("x[1-3]", ["x1", "x2", "x3"]),
        ("[9-10]y", ["9y", "10y"]),
        ("x[a-b]", ["x[a-b]"]),
        ("x[2-1]", []),
    ],
)
def test_a_pattern_expands_to_urls(pattern: str, urls: list[str]) -> None:
    assert list(expand(pattern)) == urls


def test_headers_are_shown_and_a_name_is_given_where_that_is_asked_for(
    server: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["-i", "-sS", "-A", "someone", f"{server}/missing"]) == 0
    head, _, body = capfdbinary.readouterr().out.decode().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 404 Not Found\r\n")
    assert f"Content-Length: {len(body)}" in head
    assert body == "keep /missing\n"
