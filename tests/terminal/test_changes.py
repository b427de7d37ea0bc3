"""A line for each change, for a pipe."""

from __future__ import annotations

import pytest

from kubetour.checks import Object
from kubetour.terminal.changes import NOTHING, changes
from tests.shapes import deployment, node, service, slices
from tests.terminal.scenes import HASH, NAME, SITUATIONS, a_pod, moment

POD = f"{NAME}-{HASH}-00001"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((), (node("n"),), ["node/n  Ready"]),
        ((node("n"),), (node("n", ready="False"),), ["node/n  NotReady"]),
        ((node("n"),), (), ["node/n  gone"]),
        ((), (a_pod(1, "", phase="Pending"),), [f"pod/{POD}  0/1  Pending"]),
        (
            (node("n"), a_pod(1, "", phase="Pending")),
            (node("n"), a_pod(1, "n", reason="ContainerCreating", phase="Pending")),
            [f"pod/{POD}  0/1  ContainerCreating  n"],
        ),
        (
            (node("n"), a_pod(1, "n")),
            (node("n"), a_pod(1, "n", restarts=2)),
            [f"pod/{POD}  1/1  Running  ↻2  n"],
        ),
        ((node("n"), a_pod(1, "n")), (node("n"),), [f"pod/{POD}  gone"]),
        ((a_pod(1),), (a_pod(1), slices(NAME, unready=(POD,))), [f"endpoint/{POD}  not ready"]),
        ((a_pod(1), slices(NAME, unready=(POD,))), (a_pod(1), slices(NAME, POD)), [f"endpoint/{POD}  ready"]),
        ((a_pod(1), slices(NAME, POD)), (a_pod(1),), [f"endpoint/{POD}  gone"]),
        ((), (service(NAME),), [f"service/{NAME}  10.96.0.7:8080"]),
        (
            (deployment(NAME, 1),),
            (deployment(NAME, 3),),
            [f"deployment.apps/{NAME}  3 declared, 3 ready"],
        ),
        (SITUATIONS["failing"], SITUATIONS["failing"], []),
    ],
    ids=[
        "a node came",
        "a node fails",
        "a node went",
        "a Pod came",
        "a Pod is placed and starts",
        "a container was started anew",
        "a Pod went",
        "an endpoint came",
        "an endpoint is ready",
        "an endpoint went",
        "a Service came",
        "the Deployment was scaled",
        "nothing",
    ],
)
def test_each_change_has_a_line(
    before: tuple[Object, ...], after: tuple[Object, ...], expected: list[str]
) -> None:
    assert list(changes(moment(*before), moment(*after), "en")) == expected


def test_at_first_everything_is_told() -> None:
    told = list(changes(NOTHING, moment(*SITUATIONS["steady"]), "zh"))
    assert [line.partition("/")[0] for line in told] == [
        *["node"] * 3,
        "deployment.apps",
        "service",
        *["pod"] * 3,
        *["endpoint"] * 3,
    ]
