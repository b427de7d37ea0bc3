"""The claims, and which steps try them."""

from __future__ import annotations

import pytest

from kubetour.claims import CLAIMS, experiments
from kubetour.errors import UsageError
from kubetour.plan import plan, whole
from kubetour.providers import Provider
from tests.making import CONTEXT, step

STEPS = (
    step("build"),
    step("load", needs=("build",)),
    step("watch-it", needs=("load",), claim="scaling"),
    step("other", needs=("load",)),
    step("ask-it", needs=("watch-it",), claim="spread"),
)


@pytest.mark.parametrize(
    ("claims", "ids"),
    [
        pytest.param(["scaling"], ["build", "load", "watch-it"], id="with all that it needs"),
        pytest.param(
            ["spread"], ["build", "load", "watch-it", "ask-it"], id="through what another claim needs"
        ),
        pytest.param(
            ["spread", "scaling"], ["build", "load", "watch-it", "ask-it"], id="each step once, in order"
        ),
    ],
)
def test_the_steps_that_try_a_claim_come_with_what_they_need(claims: list[str], ids: list[str]) -> None:
    assert [step.id for step in experiments(STEPS, claims)] == ids


@pytest.mark.parametrize(
    ("claim", "key"),
    [
        ("nonsense", "claim-unknown"),
        ("layers", "claim-not-here"),
        pytest.param("process-one", "claim-not-on-embedded", id="and why, where that is known"),
    ],
)
def test_a_claim_that_cannot_be_tried_is_refused(claim: str, key: str) -> None:
    with pytest.raises(UsageError) as caught:
        experiments(STEPS, [claim])
    assert caught.value.key == key


def test_every_step_of_a_plan_names_a_claim_that_there_is(provider: Provider) -> None:
    assert {step.claim for step in whole(provider, CONTEXT)} <= {"", *CLAIMS}


def test_the_tour_is_the_whole_plan_without_what_is_extra(provider: Provider) -> None:
    steps = whole(provider, CONTEXT)
    assert plan(provider, CONTEXT) == tuple(step for step in steps if not step.extra)
    assert all(step.claim for step in steps if step.extra)
