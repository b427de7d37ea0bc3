"""The checks of the cluster itself."""

from __future__ import annotations

import json

import pytest

from kubetour.checks import Observation, Proof
from kubetour.proofs.cluster import (
    ApiServer,
    Ended,
    ImageOnNodes,
    NodeDescribed,
    NodesJoined,
    NodesReady,
    Owned,
    ProfileEnded,
)
from kubetour.skew import Skew
from tests.making import output
from tests.shapes import OURS, metadata, node, seen


def key(proof: Proof) -> str:
    return proof.text.key.removeprefix("proof.")


def test_as_many_nodes_as_asked_for_are_ready_and_ours() -> None:
    proof = NodesReady(2, ours=True)(seen(node("b"), node("a")))
    assert proof.holds
    assert proof.text.values["names"] == "a, b"


@pytest.mark.parametrize(
    ("nodes", "count", "ours", "why"),
    [
        ((), 1, True, "nodes-waiting"),
        ((), 0, False, "nodes-waiting"),
        ((node("a"), node("b", ready="False")), 2, True, "nodes-waiting"),
        ((node("a"), node("b", ready="Unknown")), 2, True, "nodes-waiting"),
        ((node("a"), node("b", labels={})), 2, True, "cluster-foreign"),
        ((node("a", labels={"app.kubernetes.io/managed-by": "helm"}),), 1, True, "cluster-foreign"),
    ],
)
def test_nodes_that_are_missing_unready_or_anothers_prove_nothing(
    nodes: tuple[dict[str, object], ...], count: int, ours: bool, why: str
) -> None:
    proof = NodesReady(count, ours=ours)(seen(*nodes))
    assert not proof.holds
    assert key(proof) == why


def test_on_a_cluster_that_need_not_be_ours_no_label_is_asked_for() -> None:
    assert NodesReady(0, ours=False)(seen(node("a", labels={}))).holds


def api_server(server: str, kubectl: str, client: str) -> Observation:
    """Return what was seen of an API server, with this kubectl and this client."""
    said = {"clientVersion": {"gitVersion": kubectl}, "serverVersion": {"gitVersion": server}}
    version = {"gitVersion": server, "client": client}
    return Observation(confirmed=(output(json.dumps(said)),), objects={"version": (version,)})


def test_the_api_server_answers_with_its_version() -> None:
    proof = ApiServer()(api_server("v1.36.2", "v1.36.4", "37.0.2"))
    assert proof.holds
    assert proof.data == {"version": "v1.36.2", "kubectl": "v1.36.4", "client": "37.0.2"}
    assert proof.notes == ()
    assert key(ApiServer()(Observation())) == "api-silent"


def test_versions_too_far_from_the_api_servers_are_noted_though_it_answers() -> None:
    proof = ApiServer()(api_server("v1.33.1", "v1.36.4", "37.0.2"))
    assert proof.holds
    assert [note.key for note in proof.notes] == ["skew.kubectl", "skew.client"]
    assert ApiServer(Skew(older=1, newer=None))(api_server("v1.33.1", "v1.36.4", "37.0.2")).notes == ()


@pytest.mark.parametrize("said", ["", "WARNING: no JSON", "{}"])
def test_of_a_kubectl_that_tells_no_version_nothing_is_noted(said: str) -> None:
    version = {"gitVersion": "v1.36.2", "client": "37.0.2"}
    seen = Observation(confirmed=(output(said),), objects={"version": (version,)})
    proof = ApiServer()(seen)
    assert proof.holds
    assert proof.notes == ()


def test_a_described_node_has_room_for_pods() -> None:
    proof = NodeDescribed()(seen(node(), results=(output("Name: node-1"),)))
    assert proof.holds
    assert proof.data["pods"] == "110"


@pytest.mark.parametrize("what", ["no node", "no allocatable", "room for none", "nothing printed"])
def test_a_node_without_room_or_description_proves_nothing(what: str) -> None:
    item = node()
    if what == "no allocatable":
        item["status"] = {}
    if what == "room for none":
        item["status"]["allocatable"]["pods"] = "0"
    results = (output("" if what == "nothing printed" else "Name: node-1"),)
    proof = NodeDescribed()(seen(*(() if what == "no node" else (item,)), results=results))
    assert key(proof) == "node-no-room"


def inspected(*tags: str) -> str:
    """Return what `crictl inspecti` prints of an image with these tags."""
    return json.dumps({"info": {}, "status": {"id": "sha256:7e0f", "repoTags": list(tags)}})


ON_NODE = inspected("docker.io/library/web:1")


def test_an_image_is_on_every_node_when_each_runtime_says_so() -> None:
    proof = ImageOnNodes("web:1", ("a", "b"))(Observation((), (output(ON_NODE), output(ON_NODE))))
    assert proof.holds
    assert proof.data == {"nodes": ["a", "b"]}


@pytest.mark.parametrize(
    "other",
    [
        output("", status=1, stderr="no such image"),
        output(ON_NODE, status=1),
        output("not JSON"),
        output(inspected()),
        output(inspected("docker.io/library/web:2")),
        output(inspected("docker.io/library/my-web:1")),
        output(inspected("docker.io/library/web:11")),
        output('{"status": {"repoTags": null}}'),
        None,
    ],
    ids=["absent", "failed", "no JSON", "no tag", "other tag", "other name", "longer tag", "null", "unasked"],
)
def test_one_node_without_the_image_is_named(other: object) -> None:
    after = tuple(result for result in (output(ON_NODE), other) if result is not None)
    proof = ImageOnNodes("web:1", ("a", "b"))(Observation((), after))  # type: ignore[arg-type]
    assert not proof.holds
    assert proof.text.values["nodes"] == "b"


@pytest.mark.parametrize(
    ("reference", "tag"),
    [
        ("web:1", "docker.io/library/web:1"),
        ("team/web:1", "docker.io/team/web:1"),
        ("localhost:5000/web:1", "localhost:5000/web:1"),
        ("registry.example/team/web:1", "registry.example/team/web:1"),
    ],
)
def test_an_image_is_known_by_the_name_containerd_gives_it(reference: str, tag: str) -> None:
    assert ImageOnNodes(reference, ("a",))(Observation((), (output(inspected(tag)),))).holds


def namespace(labels: dict[str, str]) -> dict[str, object]:
    return {"kind": "Namespace", "metadata": metadata("kubetour", labels)}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ((namespace(OURS),), "namespace"),
        ((namespace({}),), "namespace-foreign"),
        ((), "namespace-absent"),
    ],
)
def test_a_namespace_is_ours_by_its_label(items: tuple[dict[str, object], ...], expected: str) -> None:
    proof = Owned("kubetour", "gke")(seen(*items))
    assert key(proof) == expected
    assert proof.holds is (expected == "namespace")
    assert proof.final is (expected == "namespace-foreign")


@pytest.mark.parametrize(
    ("listing", "left"),
    [
        ("", ""),
        ("No kind clusters found.\n", ""),
        ("kubetour2\nmy-kubetour\n", ""),
        ("kubetour\n", "kubetour"),
        ("other\n  kubetour  \n", "kubetour"),
    ],
)
def test_what_is_still_listed_on_a_line_of_its_own_has_not_ended(listing: str, left: str) -> None:
    proof = Ended(("kubetour",))(Observation((), (output(listing),)))
    assert proof.holds is not bool(left)
    assert key(proof) == ("not-ended" if left else "ended")


@pytest.mark.parametrize(
    ("listing", "ended"),
    [
        ('{"invalid":[],"valid":[]}', True),
        ('{"invalid":[],"valid":[{"Name":"kubetour2","Status":"OK"}]}', True),
        ('{"invalid":[],"valid":[{"Name":"kubetour","Status":"Stopped"}]}', False),
        ('{"invalid":[{"Name":"kubetour","Status":""}],"valid":null}', False),
        ("", False),
        ('{"error":"unreadable"}', False),
    ],
    ids=["none", "another", "stopped", "damaged", "no answer", "an error"],
)
def test_a_profile_has_ended_when_minikube_lists_it_nowhere(listing: str, ended: bool) -> None:
    assert ProfileEnded("kubetour")(Observation((), (output(listing),))).holds is ended


@pytest.mark.parametrize(
    ("late", "holds"),
    [
        (node("b"), True),
        (node("b", labels={}), False),
        (node("b", ready="False"), False),
    ],
    ids=["labelled and Ready", "not labelled yet", "not Ready yet"],
)
def test_nodes_that_join_are_waited_for_until_they_are_ready_and_ours(
    late: dict[str, object], holds: bool
) -> None:
    proof = NodesJoined(2)(seen(node("a"), late))
    assert proof.settled is proof.holds is holds
