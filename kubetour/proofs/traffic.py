"""Checks of answers: who answered, whether all have, and how many requests make that near certain."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from kubetour.checks import Observation, Proof
from kubetour.proofs.answering import in_order, words
from kubetour.proofs.common import condition, endpoints, fails, holds, noted, owner, ready_pods, terminating
from kubetour.proofs.spreading import in_turn, spread
from kubetour.text import Text

MISS = 1e-6  # the chance, at most, that random balancing leaves out one of the Pods


def requests_for(pods: int, miss: float = MISS) -> int:
    """Return how many requests reach every one of `pods` Pods but for a chance of at most `miss`.

    With k Pods, n random picks leave out a given one with chance (1 - 1/k)^n, so some one with at most k
    times that (the union bound).
    """
    if pods <= 1:
        return 1
    return math.ceil(math.log(miss / pods) / math.log(1 - 1 / pods))


def answers(seen: Observation, names: set[str]) -> Counter[str]:
    """Return how often each of these names stands in what the commands printed, as a word of its own."""
    return words("\n".join(result.stdout for result in seen.results), names)


@dataclass(frozen=True)
class AnsweredBy:
    """A Pod with these labels answered."""

    looks: ClassVar[tuple[str, ...]] = ("pods",)
    labels: tuple[tuple[str, str], ...]

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict: the answer's host name is the name of such a Pod."""
        names = {pod["metadata"]["name"] for pod in seen.labelled("pods", dict(self.labels))}
        counts = answers(seen, names)
        if counts:
            name = counts.most_common(1)[0][0]
            if seen.rung:
                data = {"answers": dict(counts), "rung": seen.rung.key}
                return holds("answered-by-rung", data, name=name, rung=seen.rung)
            return holds("answered", {"answers": dict(counts)}, name=name)
        said = "".join(result.stdout for result in seen.results).strip()
        return fails("answered-other", answer=said[:200] or "–")


@dataclass(frozen=True)
class AllAnswered:
    """Every ready Pod of the Deployment answered, and nobody else."""

    looks: ClassVar[tuple[str, ...]] = ("pods",)
    name: str
    count: int
    requests: int

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict, with the answers per Pod and their order, over all rounds so far."""
        pods = sorted(pod["metadata"]["name"] for pod in ready_pods(seen, {"app": self.name}))
        order = in_order("\n".join(result.stdout for result in seen.results), pods)
        counts, data = Counter(order), spread(order, pods)
        shares = ", ".join(f"{name} {counts[name]}" for name in pods)
        values = {"distinct": len(counts), "count": self.count, "requests": counts.total(), "shares": shares}
        met = len(counts) == len(pods) == self.count and counts.total() >= self.requests
        notes = (Text("proof.took-turns"),) if in_turn(order, len(pods)) else ()
        proof = (holds if met else fails)("all-answered" if met else "not-all-answered", data, **values)
        return noted(proof, *notes)


@dataclass(frozen=True)
class Chain:
    """Service → EndpointSlice → Pods ← ReplicaSet ← Deployment: each link read from the live objects."""

    looks: ClassVar[tuple[str, ...]] = ("deployments", "replicasets", "pods", "services", "endpointslices")
    name: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on every link, with the names for the picture."""
        deployment = seen.named("deployments", self.name)
        service = seen.named("services", self.name)
        if deployment is None or service is None:
            return fails("chain-absent", name=self.name)
        sets = [
            r
            for r in seen.objects.get("replicasets", ())
            if owner(r) == deployment["metadata"]["uid"] and r["spec"].get("replicas", 0) > 0
        ]
        uids = {r["metadata"]["uid"] for r in sets}
        pods = [p for p in seen.objects.get("pods", ()) if owner(p) in uids and not terminating(p)]
        selected = {
            p["metadata"]["name"] for p in seen.labelled("pods", service["spec"].get("selector") or {})
        }
        names = {p["metadata"]["name"] for p in pods}
        behind = {name for name, _ in endpoints(seen, self.name)}
        data = {
            "deployment": self.name,
            "replicasets": sorted(r["metadata"]["name"] for r in sets),
            "service": self.name,
            "address": service["spec"].get("clusterIP", ""),
            "selector": dict(service["spec"].get("selector") or {}),
            "endpoints": sorted(behind),
            "pods": [
                {
                    "name": p["metadata"]["name"],
                    "node": p["spec"].get("nodeName", ""),
                    "address": p["status"].get("podIP", ""),
                    "ready": condition(p, "Ready"),
                }
                for p in sorted(pods, key=lambda p: str(p["metadata"]["name"]))
            ],
        }
        if not names or not names <= selected or not names <= behind:
            return fails("chain-broken", data, name=self.name, pods=len(names), behind=len(names & behind))
        return holds("chain", data, name=self.name, pods=len(names))
