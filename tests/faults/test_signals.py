"""Whatever ends a tour, wherever: no command of it runs on, the terminal is as it was, one can go on."""

from __future__ import annotations

from itertools import cycle

import pytest

from tests.e2e.checkout import Checkout
from tests.e2e.test_embedded_tour import CHAPTERS
from tests.faults.endings import ENDINGS, MOMENTS, Point, end_at

FLAGS = ("--provider", "embedded", "--cluster-name", "sweep", "--name", "sweep")


def points(every: bool) -> list[Point]:
    """Return the points of a sweep: each moment of each step with one ending, or with every one."""
    moments = [(step, moment) for step in CHAPTERS for moment in MOMENTS]
    moments.pop()  # when its last step is proved, the tour is over
    if every:
        return [Point(*moment, ending) for moment in moments for ending in ENDINGS]
    return [Point(*moment, ending) for moment, ending in zip(moments, cycle(ENDINGS))]


@pytest.mark.fault("F11")
def test_a_tour_ended_at_every_point_can_be_gone_on_with(
    checkout: Checkout, pytestconfig: pytest.Config
) -> None:
    for point in points(pytestconfig.getoption("--every-fault")):
        end_at(checkout, point, *FLAGS)
    checkout.inv("tour", *FLAGS, "--quiet")
    checkout.clean(*FLAGS[:4])
