"""What an hour's benchmark makes of what it saw; and a few seconds of it, for real."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from pathlib import Path

import pytest

from benchmarks.endurance import Account, judge, main
from benchmarks.flatness import growth, quarters, slope
from benchmarks.results import document
from benchmarks.steadyload import Failure, Load, sorted_out
from benchmarks.unrest import is_settled
from kubetour.embedded.network import loopback_range_usable

FLAT = {"memory": 60.0, "files": 40, "threads": 5, "database": 8.0, "wal": 4.0, "disk": 0.2}


@pytest.mark.parametrize(
    ("values", "slack", "expected"),
    [
        pytest.param([9, 9, 5, 5, 5, 5, 5, 5], 0, 1.0, id="flat once the first quarter is over"),
        pytest.param([5, 5, 6, 6, 7, 7, 9, 9], 0, 1.5, id="growing"),
        pytest.param([9, 9, 8, 8, 7, 7, 4, 4], 0, 0.5, id="shrinking"),
        pytest.param([5, 5, 5, 5, 5, 5, 7, 7], 2, 1.0, id="within the slack"),
        pytest.param([5, 5, 5, 5, 5, 5, 8, 8], 2, 1.6, id="beyond the slack, all of it counts"),
        pytest.param([0, 0, 0, 0, 0, 0, 0, 0], 0, 1.0, id="nothing, as before"),
        pytest.param([0, 0, 0, 0, 0, 0, 3, 3], 0, 3, id="something where nothing was"),
        pytest.param([1, 4, 9, 6], 0, 1.5, id="one value in each quarter"),
    ],
)
def test_growth_is_that_of_the_last_quarter_over_the_second(
    values: list[float], slack: float, expected: float
) -> None:
    assert growth(values, slack) == pytest.approx(expected)


def test_too_few_samples_say_nothing() -> None:
    with pytest.raises(ValueError, match="3 samples are too few"):
        quarters([1, 2, 3])


def test_the_slope_is_per_hour_and_leaves_the_first_quarter_out() -> None:
    assert slope([0, 900, 1800, 2700], [100, 1, 2, 3]) == pytest.approx(4)
    assert slope([0], [1]) == 0.0


@pytest.mark.parametrize(
    ("began", "ended", "counts"),
    [
        pytest.param(1.0, 2.0, True, id="over before the container died"),
        pytest.param(3.0, 4.5, False, id="under way as it died"),
        pytest.param(4.2, 9.0, False, id="begun while it died"),
        pytest.param(4.6, 5.0, True, id="begun when it was dead"),
    ],
)
def test_what_fails_counts_unless_it_was_under_way_to_what_was_killed(
    began: float, ended: float, counts: bool
) -> None:
    each = Failure(began, ended, "new", "reset")
    assert sorted_out([each], [(4.0, 4.5)]) == (([each], []) if counts else ([], [each]))


@pytest.mark.parametrize(
    ("status", "settled"),
    [
        pytest.param({"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}, True, id="all of it"),
        pytest.param({"replicas": 4, "updatedReplicas": 3, "availableReplicas": 3}, False, id="an old Pod"),
        pytest.param({"replicas": 3, "updatedReplicas": 3}, False, id="none available"),
    ],
)
def test_a_deployment_is_settled_when_it_is_all_that_it_is_to_be(
    status: dict[str, int], settled: bool
) -> None:
    deployment = {
        "metadata": {"generation": 2}, "spec": {"replicas": 3}, "status": {**status, "observedGeneration": 2},
    }  # fmt: skip
    assert is_settled(deployment) is settled
    deployment["status"]["observedGeneration"] = 1
    assert not is_settled(deployment)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param({}, "", id="all is well"),
        pytest.param({"failed": [Failure(0, 1, "new", "reset")]}, "failed requests: 1.00", id="a failure"),
        pytest.param({"late": [Failure(0, 1, "new", "reset")]}, "server was back: 1.00", id="a late one"),
        pytest.param({"left": ["7: app"]}, "processes too many: 1.00", id="a process"),
        pytest.param(
            {"samples": [{"at": number, **FLAT, "memory": 60.0 + number} for number in range(40)]},
            "growth: memory: 1.27",
            id="memory",
        ),
    ],
)
def test_a_run_does_not_hold_where_anything_failed_remained_or_grew(
    wrong: dict[str, object], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    account = Account(**{"seed": 7, "samples": [{"at": n, **FLAT} for n in range(40)], **wrong})  # type: ignore[arg-type]
    result = judge(account)
    assert result.held is not bool(said)
    assert said in capsys.readouterr().out
    assert json.loads(json.dumps(document({"endurance": result})))["samples"]["endurance"] == account.samples


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n%s\r\nYou've hit app"


@contextmanager
def a_server(*answers: bytes) -> Iterator[int]:
    """Serve each connection one of these in turn, the last one for ever, and give the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for answer in chain(answers, repeat(answers[-1])):
                try:
                    connection, _ = listening.accept()
                except OSError:  # it listens no more
                    return
                with connection:
                    connection.recv(1000)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param(b"", "ended after 0 bytes", id="nothing"),
        pytest.param(ANSWER[:40], "ended after 40 bytes", id="half an answer"),
        pytest.param(b"HTTP/1.1 503 Busy\r\n\r\n", "http/1.1 503 busy", id="an error"),
        pytest.param(ANSWER.replace(b"You", b"Xou") % b"", "the answer was b\"Xou've", id="another's answer"),
    ],
)
def test_a_request_that_is_not_answered_as_the_app_does_has_failed(answer: bytes, why: str) -> None:
    with a_server(answer, ANSWER % b"") as port, Load("127.0.0.1", port, rate=20, kept=0) as load:
        assert load.until(lambda: load.answered["new"] > 0, 10)
    assert why in load.failures[0].why
    assert load.failures[0].kind == "new"


def test_what_a_kept_connection_is_closed_under_is_sent_again_and_has_not_failed() -> None:
    answers = (ANSWER % b"", ANSWER % b"Connection: close\r\n", ANSWER % b"")
    with a_server(*answers) as port, Load("127.0.0.1", port, rate=0, kept=1) as load:
        assert load.until(lambda: load.answered["kept"] >= 3, 10)
    assert (load.failures, load.repeated) == ([], 1)


@pytest.mark.skipif(not loopback_range_usable(), reason="only 127.0.0.1 is usable here")
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="Linux only: it reads /proc")
@pytest.mark.skipif(not shutil.which("node"), reason="Node is not on PATH")
def test_some_seconds_of_it_no_request_fails_and_nothing_is_left() -> None:
    result = main(minutes=0.1, seed=1, restarts=1)
    told = {ratio.name: ratio.value for ratio in result.ratios if not ratio.name.startswith("growth")}
    assert told == {
        "failed requests": 0,
        "failed requests once a killed server was back": 0,
        "processes too many": 0,
    }
    assert {"memory", "files", "threads", "database"} <= set(result.samples[0])
