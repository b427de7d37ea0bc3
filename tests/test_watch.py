"""The loop of `inv watch`: what it takes from the watches, and when it gives up."""

from __future__ import annotations

import queue

import pytest

from kubetour.errors import ClusterError
from kubetour.observe import Objects
from kubetour.watch import Loss, told

LOST = "Connection refused"


def test_a_short_loss_is_told_and_forgotten() -> None:
    loss = Loss("kind-x", 10.0)
    loss.look(LOST, 100.0)
    assert loss.reason == LOST
    loss.look("", 109.0)
    assert loss.reason == ""
    loss.look(LOST, 118.0)  # a new one: its time begins anew
    loss.look(LOST, 127.0)


def test_a_loss_that_lasts_longer_than_the_timeout_is_an_error() -> None:
    loss = Loss("kind-x", 10.0)
    loss.look(LOST, 100.0)
    with pytest.raises(ClusterError) as error:
        loss.look(LOST, 110.1)
    assert (error.value.key, error.value.values["reason"]) == ("cluster-unreachable", LOST)


@pytest.mark.parametrize(("only_last", "expected"), [(True, [3]), (False, [1, 2, 3])])
def test_of_a_burst_a_picture_needs_the_last_and_a_pipe_each(only_last: bool, expected: list[int]) -> None:
    changes: queue.SimpleQueue[Objects] = queue.SimpleQueue()
    for number in (1, 2, 3):
        changes.put({"pods": ({"number": number},)})
    assert [objects["pods"][0]["number"] for objects in told(changes, only_last)] == expected
