"""What of an inventory is named as left: what was made here, by its mark or by the ledger, nothing else."""

from __future__ import annotations

import pytest

from kubetour.inventory import Leftover, Thing, leftovers

LEDGER = {
    "kind-cluster/kubetour",
    "docker-container/kubetour-web",
    "docker-image/web:1",
    "docker-network/kind",
}
NODE = Thing("container", "kubetour-control-plane", "c1", "kind-cluster/kubetour", remove="docker rm")
IMAGE = Thing("image", "web:1", "i1", "docker-image/web:1", remove="docker image rm web:1")
NETWORK = Thing("network", "kind", "n1", "docker-network/kind")


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        (NODE, True),
        (IMAGE, True),
        (NETWORK, True),
        (Thing("network", "kind", "n1", "docker-network/kind", needed=True), False),
        (Thing("container", "kubetour-web", "c2", "docker-container/kubetour-web"), True),
        (Thing("container", "kubetour-web", "c2"), False),
        (Thing("container", "kubetour-web2", "c2", "docker-container/kubetour-web2"), False),
        (Thing("container", "theirs-control-plane", "c3", "kind-cluster/theirs"), False),
        (Thing("image", "web:2", "i2", "docker-image/web:2"), False),
        (Thing("image", "web:1", "i1", "podman-image/web:1"), False),
        (Thing("process", "12 node app.js", ours=True), True),
        (Thing("process", "12 node app.js"), False),
        (Thing("kubeconfig", "context kind-kubetour", "", "kind-cluster/kubetour"), True),
        (Thing("kubeconfig", "context kind-theirs"), False),
    ],
    ids=[
        *("a node of our cluster", "our image", "our network", "our network, which others use now"),
        *("our container", "one of that name without our label", "one of a similar name"),
        *("a node of another cluster", "another tag", "the same image in another engine"),
        *(
            "a process with our mark",
            "one without",
            "our context in the user's kubeconfig",
            "another context",
        ),
    ],
)
def test_what_was_made_here_is_left_and_nothing_else(thing: Thing, expected: bool) -> None:
    assert bool(leftovers(set(), [thing], LEDGER)) is expected


@pytest.mark.parametrize("thing", [NODE, IMAGE, NETWORK, Thing("file", "/tmp/kubetour-0", ours=True)])
def test_what_was_there_before_the_first_thing_was_made_is_the_users(thing: Thing) -> None:
    assert leftovers({thing.key}, [thing], LEDGER) == []


def test_another_of_the_same_name_was_not_there_before() -> None:
    before = {("image", "web:1", "older")}
    assert leftovers(before, [IMAGE], LEDGER) == [Leftover("image", "web:1", "docker image rm web:1")]


def test_each_is_named_once_with_the_command_that_removes_it_in_the_order_of_the_inventory() -> None:
    assert leftovers(set(), [NODE, IMAGE, NODE], LEDGER) == [
        Leftover("container", "kubetour-control-plane", "docker rm"),
        Leftover("image", "web:1", "docker image rm web:1"),
    ]


def test_where_nothing_was_made_nothing_is_left() -> None:
    assert leftovers(set(), [NODE, IMAGE, NETWORK], set()) == []
