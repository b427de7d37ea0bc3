from __future__ import annotations

from kubetour.embedded.backoff import Backoff


def test_a_container_that_crashes_waits_longer_and_longer_but_not_the_first_time() -> None:
    backoff, now, waits = Backoff(), 0.0, []
    for _ in range(9):
        wait = backoff.left("c", since=now, now=now)
        waits.append(wait)
        now += wait
        backoff.next("c", now)
    assert waits == [0, 10, 20, 40, 80, 160, 300, 300, 300]


def test_time_that_has_passed_since_the_crash_counts() -> None:
    backoff = Backoff()
    backoff.next("c", 0)
    assert backoff.left("c", since=5, now=8) == 7
    assert backoff.left("c", since=5, now=60) == 0
    assert backoff.left("other", since=5, now=8) == 0


def test_who_ran_for_ten_minutes_begins_anew() -> None:
    backoff = Backoff()
    for _ in range(4):
        backoff.next("c", 0)
    assert backoff.delay("c") == 80
    assert backoff.left("c", since=601, now=601) == 0
    backoff.next("c", 601)
    assert backoff.delay("c") == 10


def test_what_is_forgotten_does_not_wait() -> None:
    backoff = Backoff()
    backoff.next("c", 0)
    backoff.forget("c")
    assert backoff.left("c", since=0, now=0) == 0
    assert backoff.delay("c") == 0
