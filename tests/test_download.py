"""Downloads, against an HTTP server on loopback."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest

from kubetour import download, web
from kubetour.errors import IntegrityError, ToolError
from tests.serving import PROGRAM, FakeClock, Proxy, Server, serving

SHA256 = hashlib.sha256(PROGRAM).hexdigest()
HALF = len(PROGRAM) // 2


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


@pytest.mark.fault("F71")
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
        pytest.param("206", 4, "HTTP 206", id="a part that nobody asked for"),
        pytest.param("500", 4, "HTTP 500", id="server broken"),
        pytest.param("404", 1, "HTTP 404", id="not there"),
        pytest.param("403", 1, "HTTP 403", id="forbidden"),
        pytest.param("to http://example.com/program", 1, "is not https", id="sent to http"),
        pytest.param("to ftp://example.com/program", 1, "is not https", id="sent to ftp"),
        pytest.param("to file:///etc/passwd", 1, "HTTP 302", id="sent to a file"),
    ],
)
@pytest.mark.fault("F71")
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


@pytest.mark.fault("F71")
def test_a_silent_server_is_given_up(to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "PATIENCE", 0.05)
    started = time.monotonic()
    with serving("silent") as server, pytest.raises(ToolError, match="timed out"):
        fetch(server, to)
    assert time.monotonic() - started < 15  # it would be 20
    assert_nothing_is_left(to)


def test_one_that_falls_silent_half_way_is_asked_for_the_rest(
    to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "PATIENCE", 0.5)
    with serving("cut silent", "rest") as server:
        fetch(server, to)
    assert server.ranges[-1] == f"bytes={HALF}-"
    assert to.read_bytes() == PROGRAM


@pytest.mark.fault("F71")
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


@pytest.mark.parametrize("first", ["cut", "plain cut", "weak cut"], ids=["ETag", "no ETag", "weak ETag"])
def test_after_a_break_only_the_rest_is_asked_for(first: str, to: Path) -> None:
    with serving(first, "rest") as server:
        assert fetch(server, to) == [len(PROGRAM)]
    assert server.ranges == ["", f"bytes={HALF}-"]
    assert to.read_bytes() == PROGRAM


def test_each_further_break_goes_on_from_where_the_last_one_was(to: Path) -> None:
    with serving("cut", "rest cut", "503", "rest") as server:
        fetch(server, to)
    further = f"bytes={HALF + HALF // 2}-"
    assert server.ranges == ["", f"bytes={HALF}-", further, further]
    assert to.read_bytes() == PROGRAM


@pytest.mark.parametrize(
    ("answers", "ranges"),
    [
        pytest.param(("cut", "good"), ["", "rest"], id="the server knows no ranges"),
        pytest.param(("cut", "416", "good"), ["", "rest", ""], id="416"),
        pytest.param(("cut", "wrong rest", "good"), ["", "rest", ""], id="another part"),
        pytest.param(("cut", "long rest", "good"), ["", "rest", ""], id="too much"),
        pytest.param(("older cut", "rest"), ["", "rest"], id="the file changed"),
        pytest.param(("cut", "rest of another file", "good"), ["", "rest", ""], id="the pieces do not fit"),
    ],
)
def test_where_the_rest_cannot_be_had_it_starts_over(
    answers: tuple[str, ...], ranges: list[str], to: Path
) -> None:
    with serving(*answers) as server:
        fetch(server, to)
    assert server.ranges == [f"bytes={HALF}-" if wanted else "" for wanted in ranges]
    assert to.read_bytes() == PROGRAM


def test_a_resumed_file_that_is_tampered_with_is_refused_as_a_whole(to: Path) -> None:
    with serving("cut", "rest of another file", "tampered") as server, pytest.raises(IntegrityError):
        fetch(server, to)
    assert len(server.asked) == 3
    assert_nothing_is_left(to)


def test_all_tries_share_one_deadline(to: Path) -> None:
    clock = FakeClock(step=download.DEADLINE / 2)
    with serving("cut", "rest cut", "rest") as server, pytest.raises(ToolError, match="not done after 900"):
        fetch(server, to, clock)
    assert_nothing_is_left(to)


class TestProxy:
    def test_the_environments_proxy_is_asked_for_every_piece(
        self, to: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with serving("cut", "rest") as server, serving("", handler=Proxy) as proxy:
            monkeypatch.setenv("http_proxy", proxy.url)
            monkeypatch.delenv("no_proxy", raising=False)
            fetch(server, to)
        assert proxy.asked == [f"{server.url}/program"] * 2
        assert server.ranges == ["", f"bytes={HALF}-"]
        assert to.read_bytes() == PROGRAM

    def test_no_proxy_is_asked_for_a_host_that_is_excepted(
        self, to: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with serving("good") as server, serving("", handler=Proxy) as proxy:
            monkeypatch.setenv("http_proxy", proxy.url)
            monkeypatch.setenv("no_proxy", "127.0.0.1")
            fetch(server, to)
        assert proxy.asked == []

    def test_for_https_it_is_asked_for_a_tunnel(self, to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("no_proxy", raising=False)
        with serving("good") as proxy:
            monkeypatch.setenv("https_proxy", proxy.url)
            with pytest.raises(ToolError, match="403"):
                download.file("https://example.com/program", to, SHA256, lambda size: None, FakeClock())
        assert set(proxy.asked) == {"example.com:443"}
        assert_nothing_is_left(to)
