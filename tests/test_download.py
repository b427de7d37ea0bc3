"""Downloads, against an HTTP server on loopback."""

from __future__ import annotations

import hashlib
import socket
import time
from pathlib import Path

import pytest

from kubetour import download
from kubetour.errors import IntegrityError, ToolError
from tests.serving import PROGRAM, Server, serving

SHA256 = hashlib.sha256(PROGRAM).hexdigest()


class FakeClock:
    """Time that passes only by sleeping, and by `step` with every look."""

    def __init__(self, step: float = 0.0) -> None:
        self.time, self.step, self.slept = 0.0, step, list[float]()

    def monotonic(self) -> float:
        self.time += self.step
        return self.time

    def sleep(self, seconds: float, /) -> None:
        self.slept.append(seconds)


def fetch(server: Server, to: Path, clock: FakeClock | None = None) -> list[int | None]:
    told: list[int | None] = []
    download.file(f"{server.url}/program", to, SHA256, told.append, clock or FakeClock())
    return told


@pytest.fixture
def to(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "program"


def assert_nothing_is_left(to: Path) -> None:
    assert list(to.parent.iterdir()) == []


@pytest.mark.parametrize(("answer", "size"), [("good", len(PROGRAM)), ("unsized", None)])
def test_a_whole_file_is_kept_executable_and_its_size_told_before(
    answer: str, size: int | None, to: Path
) -> None:
    with serving(answer) as server:
        assert fetch(server, to) == [size]
    assert to.read_bytes() == PROGRAM
    assert to.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in to.parent.iterdir()] == ["program"]


def test_it_takes_the_place_of_what_was_there(to: Path) -> None:
    to.parent.mkdir()
    to.write_text("half of one")
    with serving("good") as server:
        fetch(server, to)
    assert to.read_bytes() == PROGRAM


def test_a_tampered_file_is_thrown_away_and_not_asked_for_again(to: Path) -> None:
    with serving("tampered") as server, pytest.raises(IntegrityError) as caught:
        fetch(server, to)
    assert caught.value.key == "download-tampered"
    assert caught.value.values["expected"] == SHA256
    assert len(server.asked) == 1
    assert_nothing_is_left(to)


@pytest.mark.parametrize("trouble", ["cut", "503", "429"])
def test_passing_trouble_is_tried_again_and_the_size_told_once(trouble: str, to: Path) -> None:
    clock = FakeClock()
    with serving(trouble, trouble, "good") as server:
        assert fetch(server, to, clock) == [len(PROGRAM)]
    assert clock.slept == [1.0, 2.0]
    assert to.read_bytes() == PROGRAM


@pytest.mark.parametrize(
    ("answer", "tries", "reason"),
    [
        pytest.param("cut", 4, "cut off after 11500 of 23000 bytes", id="always cut off"),
        pytest.param("500", 4, "HTTP 500", id="server broken"),
        pytest.param("404", 1, "HTTP 404", id="not there"),
        pytest.param("403", 1, "HTTP 403", id="forbidden"),
        pytest.param("to http://example.com/program", 1, "is not https", id="sent to http"),
        pytest.param("to ftp://example.com/program", 1, "is not https", id="sent to ftp"),
        pytest.param("to file:///etc/passwd", 1, "HTTP 302", id="sent to a file"),
    ],
)
def test_trouble_that_lasts_is_an_error_with_its_reason(
    answer: str, tries: int, reason: str, to: Path
) -> None:
    with serving(answer) as server, pytest.raises(ToolError, match="download-failed") as caught:
        fetch(server, to)
    assert reason in caught.value.values["reason"]
    assert len(server.asked) == tries
    assert not to.parent.exists() or list(to.parent.iterdir()) == []


def test_a_redirect_on_this_machine_is_followed(to: Path) -> None:
    with serving("good") as mirror, serving(f"to {mirror.url}/elsewhere") as server:
        fetch(server, to)
    assert mirror.asked == ["/elsewhere"]
    assert to.read_bytes() == PROGRAM


@pytest.mark.parametrize("url", ["http://example.com/x", "file:///etc/passwd", "ftp://example.com/x", "x"])
def test_only_https_is_asked_of_other_machines(url: str) -> None:
    with pytest.raises(ToolError, match="not https"):
        download.text(url, FakeClock())


def test_a_silent_server_is_given_up(to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "PATIENCE", 0.05)
    started = time.monotonic()
    with serving("silent") as server, pytest.raises(ToolError, match="timed out"):
        fetch(server, to)
    assert time.monotonic() - started < 5
    assert_nothing_is_left(to)


def test_a_server_that_drips_is_given_up_at_the_deadline(to: Path) -> None:
    clock = FakeClock(step=download.DEADLINE + 1)
    with serving("good") as server, pytest.raises(ToolError, match="not done after 900 seconds"):
        fetch(server, to, clock)
    assert_nothing_is_left(to)


def test_a_file_without_end_is_cut_at_the_limit(to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "LONGEST", 1000)
    with serving("unsized") as server, pytest.raises(ToolError, match="more than"):
        fetch(server, to)
    assert_nothing_is_left(to)


def test_a_refused_connection_is_tried_again_then_told(to: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    clock = FakeClock()
    with pytest.raises(ToolError, match="refused"):
        download.file(f"http://127.0.0.1:{port}/x", to, SHA256, lambda size: None, clock)
    assert clock.slept == list(download.PAUSES)


def test_the_environments_proxy_is_asked(to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving("good") as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        download.file("http://localhost:9/program", to, SHA256, lambda size: None, FakeClock())
    assert proxy.asked == ["http://localhost:9/program"]


def test_text_is_read_up_to_a_limit() -> None:
    with serving("good") as server:
        assert download.text(f"{server.url}/x") == PROGRAM[:4096].decode()
