"""Checks of the cluster itself: API server, nodes, the image on each of them, what is left after deleting."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from kubetour.checks import Object, Observation, Proof
from kubetour.project import NODE_OWNED_BY, OWNED_BY, OWNER
from kubetour.proofs.common import condition, fails, holds, json_object, refuses, verdict
from kubetour.skew import POLICY, Skew, warnings


@dataclass(frozen=True)
class NodesReady:
    """At least that many nodes are Ready; with `ours`, all carry our ownership label."""

    looks: ClassVar[tuple[str, ...]] = ("nodes",)
    count: int
    ours: bool

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on the nodes."""
        nodes = seen.objects.get("nodes", ())
        foreign = [
            n["metadata"]["name"]
            for n in nodes
            if n["metadata"].get("labels", {}).get(NODE_OWNED_BY) != OWNER
        ]
        if self.ours and foreign:
            return refuses("cluster-foreign", node=foreign[0])
        return _enough(nodes, self.count)


@dataclass(frozen=True)
class NodesJoined:
    """At least that many nodes that carry our ownership label are Ready.

    Nodes get the label after they have joined, so one without it is waited for, not refused.
    """

    looks: ClassVar[tuple[str, ...]] = ("nodes",)
    count: int

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on the nodes that are ours."""
        return _enough(seen.labelled("nodes", {NODE_OWNED_BY: OWNER}), self.count)


def _enough(nodes: tuple[Object, ...], count: int) -> Proof:
    ready = sorted(n["metadata"]["name"] for n in nodes if condition(n, "Ready"))
    enough = len(ready) >= max(count, 1)
    values = {"ready": len(ready), "count": count, "names": ", ".join(ready) or "–"}
    return verdict(enough, "nodes", "nodes-waiting", **values)


@dataclass(frozen=True)
class ApiServer:
    """The API server answers, with its version; noted is a kubectl or a client that is too far from it."""

    looks: ClassVar[tuple[str, ...]] = ("version",)
    skew: Skew = POLICY

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on GET /version and `kubectl version -o json`."""
        said = json_object(seen.confirmed[0].stdout) if seen.confirmed else {}
        kubectl = str(said.get("clientVersion", {}).get("gitVersion", ""))
        for answer in seen.objects.get("version", ()):
            server, client = answer["gitVersion"], answer["client"]
            data = {"version": server, "kubectl": kubectl, "client": client}
            proof = holds("api-server", data, version=server)
            return replace(proof, notes=warnings(server, kubectl, client, self.skew))
        return fails("api-silent")


@dataclass(frozen=True)
class NodeDescribed:
    """A node has room for Pods; its description was printed."""

    looks: ClassVar[tuple[str, ...]] = ("nodes",)

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on the first node; who may not describe any needs none."""
        if seen.results and "(Forbidden)" in seen.results[0].stderr:
            return holds("forbidden")
        for node in seen.objects.get("nodes", ()):
            room = node.get("status", {}).get("allocatable", {})
            if int(room.get("pods", 0)) > 0 and seen.results and seen.results[0].stdout:
                return holds(
                    "node-room",
                    dict(room),
                    cpu=room.get("cpu", "?"),
                    memory=room.get("memory", "?"),
                    pods=room["pods"],
                )
        return fails("node-no-room")


@dataclass(frozen=True)
class ImageOnNodes:
    """Each node's own container runtime says that it has the image."""

    looks: ClassVar[tuple[str, ...]] = ()
    image: str
    nodes: tuple[str, ...]

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on one `crictl inspecti` per node, in the nodes' order."""
        have = []
        for node, result in zip(self.nodes, seen.confirmed, strict=False):
            answer = json_object(result.stdout)
            tags = answer.get("status", {}).get("repoTags") or ()
            if result.status == 0 and any(
                tag == self.image or tag.endswith("/" + self.image) for tag in tags
            ):
                have.append(node)
        missing = [node for node in self.nodes if node not in have]
        if missing:
            return fails("image-not-on", {"nodes": have}, image=self.image, nodes=", ".join(missing))
        return holds("image-on", {"nodes": have}, image=self.image, nodes=", ".join(have))


@dataclass(frozen=True)
class Owned:
    """A namespace that is there, and ours."""

    looks: ClassVar[tuple[str, ...]] = ("namespaces",)
    namespace: str
    context: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on the namespace's label."""
        item = seen.named("namespaces", self.namespace)
        if item is None:
            return fails("namespace-absent", namespace=self.namespace)
        if item["metadata"].get("labels", {}).get(OWNED_BY) == OWNER:
            return holds("namespace", namespace=self.namespace)
        mark = f"{OWNED_BY}={OWNER}"
        return refuses("namespace-foreign", namespace=self.namespace, context=self.context, mark=mark)


@dataclass(frozen=True)
class Ended:
    """What was to be removed is no longer listed by its own tool."""

    looks: ClassVar[tuple[str, ...]] = ()
    names: tuple[str, ...]
    parts: tuple[str, ...] = ()  # what has to go with it, and is named only where it is left

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on a listing that must not hold any of the names on a line of its own."""
        listed = {line.strip() for result in seen.confirmed for line in result.stdout.splitlines()}
        left = listed.intersection(self.names + self.parts)
        return verdict(not left, "ended", "not-ended", what=", ".join(sorted(left) or self.names))


@dataclass(frozen=True)
class ProfileEnded:
    """minikube no longer lists the profile, neither among the valid ones nor among the damaged."""

    looks: ClassVar[tuple[str, ...]] = ()
    name: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on `minikube profile list -o json`."""
        listed = json_object(seen.confirmed[0].stdout)
        names = {profile["Name"] for kind in ("valid", "invalid") for profile in listed.get(kind) or ()}
        ended = "valid" in listed and self.name not in names
        return verdict(ended, "ended", "not-ended", what=self.name)
