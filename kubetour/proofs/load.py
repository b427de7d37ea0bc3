"""Checks of steady load: what became of every request while something happened to the app."""

from __future__ import annotations

import re
import shlex
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from kubetour.checks import Object, Observation, Proof
from kubetour.proofs.answering import in_order
from kubetour.proofs.common import fails, holds, json_object, refutes, terminating
from kubetour.proofs.workload import DeploymentReady

LOOKS = ("deployments", "pods")
# How kubectl is told the cluster: a picture's mark need not say it.
_WHERE = re.compile(r" --(?:kubeconfig|context|namespace) (?:'[^']*'|\S+)")
_FIRST = re.compile(r"(?:'[^']*'|[^\s'])+")  # the first word, as shlex.join writes it
_LONGEST = 60  # characters of a command in a picture


@dataclass(frozen=True)
class Load:
    """What the steady load printed."""

    told: Mapping[str, Any]

    @property
    def statuses(self) -> tuple[int, ...]:
        """Return the exit statuses of the commands that ran meanwhile."""
        return tuple(mark["status"] for mark in self.told["marks"])

    @property
    def failed(self) -> int:
        """Return how many requests got no good answer."""
        return int(self.told["failed"])

    @property
    def requests(self) -> int:
        """Return how many requests were due."""
        return int(self.told["requests"])

    @property
    def why(self) -> str:
        """Return why requests failed, the most frequent reason first."""
        return ", ".join(f"{reason} × {count}" for reason, count in self._reasons())

    def _reasons(self) -> list[tuple[str, int]]:
        return sorted(self.told["reasons"].items(), key=lambda item: -item[1])

    @property
    def first(self) -> str:
        """Return when the first request failed, in seconds since the load began."""
        return f"{self.told['failures'][0]['at']:.1f}"

    def data(self, pods: set[str]) -> dict[str, Any]:
        """Return it for the report, answers by the name of the Pod in them."""
        rows = [{**row, "by": _by_pod(row["by"], pods)} for row in self.told["seconds"]]
        marks = [{"at": mark["at"], "text": short(mark["text"])} for mark in self.told["marks"]]
        keys = ("rate", "requests", "failed", "milliseconds", "reasons", "failures")
        return {"load": {**{key: self.told[key] for key in keys}, "seconds": rows, "marks": marks}}


def load_of(seen: Observation) -> Load | None:
    """Return what the load printed, or None if none ran."""
    told = (json_object(result.stdout) for result in seen.results)
    return next((Load(each) for each in told if {"marks", "seconds", "failures"} <= each.keys()), None)


def short(command: str) -> str:
    """Return a command without what says on which cluster, and of a long one its beginning."""
    text = _WHERE.sub("", command)
    first = _FIRST.match(text)
    if first:
        text = text.replace(first[0], shlex.split(first[0])[0].rpartition("/")[2], 1)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _by_pod(answers: Mapping[str, int], pods: set[str]) -> dict[str, int]:
    """Return the answers by Pod; those in which none is named are left out."""
    counts: Counter[str] = Counter()
    for text, count in answers.items():
        for name in in_order(text, pods)[:1]:
            counts[name] += count
    return counts


def pods_of(seen: Observation, name: str) -> dict[str, list[tuple[float, str, Object]]]:
    """Return, by its name, what happened to each Pod of the Deployment: when, which event, the Pod then."""
    found: dict[str, list[tuple[float, str, Object]]] = {}
    for change in seen.changes:
        metadata = change.object["metadata"]
        if change.resource == "pods" and (metadata.get("labels") or {}).get("app") == name:
            found.setdefault(metadata["name"], []).append((change.at, change.event, change.object))
    return found


@dataclass(frozen=True)
class Steady(ABC):
    """What the checks here share: the app, and what must be so again at the end."""

    looks: ClassVar[tuple[str, ...]] = LOOKS
    name: str
    replicas: int
    image: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on the load, as far as it could be sent; then on what is left of the change."""
        load = load_of(seen)
        if load is None:
            return refutes("load-silent")
        pods = pods_of(seen, self.name)
        data = load.data(set(pods))
        if not load.told["marks"]:  # only another way of requesting reached the Service: nothing was changed
            return holds("load-unreachable", data, reason=load.why)
        proof = self.judge(load, pods, data)
        after = DeploymentReady(self.name, self.replicas, self.image)(seen)
        return after if proof.holds and not after.holds else proof

    @abstractmethod
    def judge(
        self, load: Load, pods: dict[str, list[tuple[float, str, Object]]], data: dict[str, Any]
    ) -> Proof:
        """Return the verdict on a load that reached the Service."""


def lost(load: Load, data: dict[str, Any]) -> Proof | None:
    """Return the refutation by the requests that failed, or None if none did."""
    if not load.failed:
        return None
    return refutes(
        "requests-lost", data, failed=load.failed, requests=load.requests, why=load.why, at=load.first
    )


def failed_command(load: Load, data: dict[str, Any], *allowed: int) -> Proof | None:
    """Return the refutation by a command that failed, but for those at these places; None if none did."""
    for place, mark in enumerate(load.told["marks"]):
        if mark["status"] and place not in allowed:
            return refutes("load-command", data, command=short(mark["text"]), status=mark["status"])
    return None


@dataclass(frozen=True)
class NothingLost(Steady):
    """Every request was answered while Pods came and went."""

    def judge(
        self, load: Load, pods: dict[str, list[tuple[float, str, Object]]], data: dict[str, Any]
    ) -> Proof:
        """Return the verdict on the requests, and that something did happen to the Pods."""
        came = sum(history[0][0] > 0 for history in pods.values())
        went = sum(_was_told_to_end(history) for history in pods.values())
        refuted = failed_command(load, data) or lost(load, data)
        if refuted:
            return refuted
        if not came or not went:
            return fails("load-no-change", data, came=came, went=went)
        slowest = round(load.told["milliseconds"]["max"])
        return holds("nothing-lost", data, requests=load.requests, came=came, went=went, slowest=slowest)


def _was_told_to_end(history: list[tuple[float, str, Object]]) -> bool:
    """Return whether that happened to the Pod since the load began, and not before."""
    first = next((at for at, _, pod in history if terminating(pod)), 0.0)
    return first > 0


@dataclass(frozen=True)
class BadRelease(Steady):
    """A release that cannot start never completes, and every request is answered meanwhile."""

    def judge(
        self, load: Load, pods: dict[str, list[tuple[float, str, Object]]], data: dict[str, Any]
    ) -> Proof:
        """Return the verdict on requests and rollout: the second command waited for it, in vain."""
        refuted = failed_command(load, data, 1) or lost(load, data)
        if refuted:
            return refuted
        if load.statuses[1] == 0:
            return refutes("release-started", data)
        reasons = [
            reason
            for history in pods.values()
            for _, _, pod in history
            if pod["spec"]["containers"][0]["image"] != self.image
            for reason in _waiting(pod)
        ]
        if not reasons:
            return fails("release-unseen", data)
        said = " → ".join(dict.fromkeys(reasons))
        return holds("bad-release", {**data, "reasons": reasons[-1:]}, requests=load.requests, reasons=said)


def _waiting(pod: Object) -> list[str]:
    """Return why the Pod's containers do not run."""
    statuses = pod["status"].get("containerStatuses") or ()
    return [
        state["waiting"]["reason"]
        for state in (one.get("state") or {} for one in statuses)
        if "waiting" in state
    ]


@dataclass(frozen=True)
class SlowStart(Steady):
    """Pods that start slowly: with a readiness probe no request is lost to them, without one some are."""

    probed: bool

    def judge(
        self, load: Load, pods: dict[str, list[tuple[float, str, Object]]], data: dict[str, Any]
    ) -> Proof:
        """Return the verdict on the requests: lost they must be where nothing says when a Pod is ready."""
        refuted = failed_command(load, data) or (lost(load, data) if self.probed else None)
        if refuted:
            return refuted
        if self.probed:
            return holds("ready-probed", data, requests=load.requests)
        if not load.failed:
            return refutes("ready-unprobed-kept", data, requests=load.requests)
        return holds("ready-unprobed", data, failed=load.failed, requests=load.requests, why=load.why)
