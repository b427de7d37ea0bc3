"""Ports that really are free."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from subprocess import PIPE, Popen

import pytest

from kubetour import ports
from kubetour.errors import ResourceError
from kubetour.ports import first_port, free_port
from kubetour.project import ROOT


@pytest.fixture(params=["127.0.0.1", "0.0.0.0"])  # noqa: S104  (another program's choice)
def busy(request: pytest.FixtureRequest) -> Iterator[int]:
    """Yield a port that something listens on."""
    with socket.socket() as listener:
        listener.bind((request.param, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_that_something_listens_on_is_passed_over(busy: int) -> None:
    found = free_port(busy)
    assert busy < found < busy + ports.TRIES
    with socket.socket() as mine:
        mine.bind(("127.0.0.1", found))


def test_a_free_port_that_is_wanted_for_something_else_is_passed_over() -> None:
    first = free_port(20000)
    assert free_port(first, taken=(first,)) > first


@pytest.mark.fault("F33")
@pytest.mark.skipif(sys.platform != "linux", reason="claims are names of Linux")
def test_those_who_choose_at_once_choose_different_ports_and_keep_them_no_longer_than_they_run() -> None:
    choosing = (
        "import sys; from kubetour.ports import free_port; print(free_port(21000), flush=True); input()"
    )
    argv = [sys.executable, "-c", choosing]
    with ExitStack() as running:
        others = [
            running.enter_context(Popen(argv, stdin=PIPE, stdout=PIPE, text=True, cwd=ROOT)) for _ in range(3)
        ]
        chosen = [other.stdout.readline() for other in others if other.stdout]
        assert len(set(chosen)) == len(others)
        for other in others:
            other.communicate("\n")
    first = min(map(int, chosen))
    assert free_port(first) == first


@pytest.mark.fault("F06")
def test_when_every_port_near_is_busy_the_error_names_the_range(
    busy: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "TRIES", 1)
    with pytest.raises(ResourceError) as caught:
        free_port(busy)
    assert caught.value.key == "ports-busy"
    assert caught.value.values == {"first": busy, "last": busy}


def test_no_port_above_the_last_one_is_tried() -> None:
    with pytest.raises(ResourceError) as caught:
        free_port(65535, taken=(65535,))
    assert caught.value.values["last"] == 65535


def test_each_student_begins_at_ports_of_their_own_the_same_ones_each_time() -> None:
    names = [f"student-{number}" for number in range(1, 41)]
    first = {name: first_port(name) for name in names}
    assert first == {name: first_port(name) for name in names}
    assert len(set(first.values())) == len(names)  # of these names; two of others may fall together
    assert all(10_000 <= port < 30_000 and port % 2 == 0 for port in first.values())
