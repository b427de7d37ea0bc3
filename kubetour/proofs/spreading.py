"""Checks of how a Service spreads connections: at random, each stays with its Pod, forwarded ones are not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from kubetour.checks import Observation, Proof
from kubetour.proofs.answering import answers, in_order, only
from kubetour.proofs.anyapp import UNKNOWN
from kubetour.proofs.chance import expected_range
from kubetour.proofs.changes import name
from kubetour.proofs.common import endpoints, holds, noted, ready_pods, refutes
from kubetour.text import Text

CERTAIN = 1 - 1e-6  # a Pod's count lies outside the range of this level once in a million runs, if at random
CONNECTIONS = "connections: "  # before the number that curl writes after each answer, `forwarded` after all
NOT_FORWARDED = "not forwarded: "  # before the reason that `forwarded` writes instead


def in_turn(order: Sequence[str], pods: int) -> bool:
    """Return whether answers came from the Pods in turn, each as often as one can tell a rotation by."""
    first = order[:pods]
    long_enough = pods > 1 and len(order) >= 3 * pods
    return long_enough and len(set(first)) == pods and all(o == first[i % pods] for i, o in enumerate(order))


def spread(order: Sequence[str], pods: Sequence[str]) -> dict[str, Any]:
    """Return the answers by Pod, their order, and the range in which 95 of 100 counts lie if at random."""
    counts = Counter(order)
    return {
        "answers": {name: counts[name] for name in sorted(pods)},
        "requests": len(order),
        "expected": list(expected_range(len(order), len(pods))),
        "sequence": list(order),
    }


def order_of(seen: Observation, names: Collection[str]) -> list[str] | None:
    """Return who answered, one after the other; None of an app that tells neither by body nor by header."""
    text = "\n".join(result.stdout for result in seen.results)
    given = answers(text)
    if not given:  # of our own app, the bodies alone are printed
        return in_order(text, names)
    for part in ("body", "headers"):
        order = [name for answer in given if (name := only(getattr(answer, part), names))]
        if order:
            return order
    return None


def connections(seen: Observation) -> int:
    """Return how many connections were made, by what the programs say that made them."""
    text = "\n".join(result.stdout for result in seen.results)
    return sum(int(number) for number in re.findall(rf"(?m)^{CONNECTIONS}(\d+)$", text))


@dataclass(frozen=True)
class AtRandom:
    """Connections went to a Deployment's Pods as chance would have it: to none too often, and not in turn."""

    looks: ClassVar[tuple[str, ...]] = ("pods",)
    name: str
    requests: int

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict, with the answers and the range in which 95 of 100 counts lie."""
        pods = [name(pod) for pod in ready_pods(seen, {"app": self.name})]
        order = order_of(seen, pods)
        if order is None:
            return noted(holds("spread-untold"), UNKNOWN)
        data = spread(order, pods)
        shares = ", ".join(f"{name} {count}" for name, count in data["answers"].items())
        values = {"requests": len(order), "shares": shares}
        if len(order) < self.requests:
            return refutes("few-answers", data, requests=len(order), wanted=self.requests)
        if len(pods) < 2:
            return holds("one-pod", data)
        if in_turn(order, len(pods)):
            return refutes("in-turn", data, **values)
        low, high = expected_range(len(order), len(pods), CERTAIN)
        if not all(low <= count <= high for count in data["answers"].values()):
            return refutes("lopsided", data, low=low, high=high, **values)
        low, high = data["expected"]
        return holds("at-random", data, low=low, high=high, **values)


@dataclass(frozen=True)
class OneConnection:
    """Requests over one connection were all answered by the Pod that the connection was made to."""

    looks: ClassVar[tuple[str, ...]] = ("pods",)
    name: str
    requests: int

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on who answered, and on the connections that curl says it made."""
        pods = [name(pod) for pod in ready_pods(seen, {"app": self.name})]
        order = order_of(seen, pods)
        if order is None:
            return noted(holds("spread-untold"), UNKNOWN)
        counts, made = Counter(order), connections(seen)
        data = {"answers": {name: counts[name] for name in sorted(pods)}, "connections": made}
        values = {"requests": counts.total(), "connections": made, "pods": len(counts)}
        if counts.total() < self.requests or not made:
            return refutes("few-answers", data, requests=counts.total(), wanted=self.requests)
        if len(counts) > made:
            return refutes("requests-spread", data, **values)
        if made > 1:  # the app, or something before it, closes connections by itself
            return holds("connections-closed", data, **values)
        return holds("one-connection", data, requests=counts.total(), name=next(iter(counts)))


@dataclass(frozen=True)
class ForwardedToOne:
    """Connections through a port forwarded to a Service all came to one Pod, though it has several."""

    looks: ClassVar[tuple[str, ...]] = ("endpointslices",)
    name: str
    requests: int

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on who answered; where nothing could be forwarded, it is told why."""
        said = "\n".join(result.stdout for result in seen.results)
        if refused := re.search(rf"(?m)^{NOT_FORWARDED}(.*)$", said):
            return noted(holds("forward-untried"), Text("proof.forward-no-stream", {"reason": refused[1]}))
        pods = sorted({name for name, ready in endpoints(seen, self.name) if ready})
        order = order_of(seen, pods)
        if order is None:
            return noted(holds("spread-untold"), UNKNOWN)
        counts, made = Counter(order), connections(seen)
        data = {"answers": {name: counts[name] for name in pods}, "connections": made}
        values = {"requests": counts.total(), "pods": len(pods)}
        if counts.total() < self.requests:
            return refutes("few-answers", data, requests=counts.total(), wanted=self.requests)
        if made < self.requests:
            return refutes("forward-connections", data, connections=made, **values)
        if len(pods) < 2:
            return holds("one-pod", data)
        if len(counts) > 1:
            return refutes("forward-spread", data, answered=len(counts), **values)
        return holds("forwarded-to-one", data, name=next(iter(counts)), **values)
