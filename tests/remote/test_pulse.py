"""When a silent connection is given up, and when it is not."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from kubetour.remote import pulse
from kubetour.remote.pulse import Counted, Pulse


@dataclass
class Line:
    """A transport on which the answer never comes; other bytes may, for some looks at them."""

    bytes_left: int
    answers: bool = False
    closed: threading.Event = field(default_factory=threading.Event)
    asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    looks: int = 0

    @property
    def sock(self) -> Line:
        return self

    @property
    def received(self) -> int:
        self.looks += 1
        return min(self.looks, self.bytes_left)

    def is_active(self) -> bool:
        return not self.closed.is_set()

    def global_request(self, kind: str, wait: bool) -> None:
        self.asked.release()
        if not self.answers:
            self.closed.wait(60)

    def close(self) -> None:
        self.closed.set()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "PULSE", 0.01)
    monkeypatch.setattr(pulse, "SILENCE", 0.02)


def test_a_line_on_which_nothing_comes_is_given_up() -> None:
    line = Line(bytes_left=0)
    beat = Pulse(line)
    beat.start()
    assert line.closed.wait(20)
    beat.join(20)
    assert not beat.is_alive()


def test_a_line_on_which_something_comes_is_given_up_only_when_that_ends() -> None:
    line = Line(bytes_left=9)
    beat = Pulse(line)
    beat.start()
    assert line.closed.wait(20)
    assert line.looks >= 9
    beat.join(20)


def test_a_line_that_answers_is_asked_again_until_the_end() -> None:
    line = Line(bytes_left=0, answers=True)
    beat = Pulse(line)
    beat.start()
    for _ in range(3):
        assert line.asked.acquire(timeout=20)
    beat.end()
    beat.join(20)
    assert not beat.is_alive()
    assert not line.closed.is_set()


def test_a_counted_socket_is_a_socket() -> None:
    class Plain:
        def recv(self, size: int) -> bytes:
            return b"x" * size

        def send(self, data: bytes) -> int:
            return len(data)

    counted = Counted(Plain())
    assert (counted.recv(3), counted.recv(2), counted.send(b"abcd")) == (b"xxx", b"xx", 4)
    assert counted.received == 5
