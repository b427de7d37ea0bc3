"""Checks of an app that is not our own: it answered, and who did, by whatever it tells that with.

What cannot be told is a note and no failure: unless an earlier step saw the app tell it, and now it does not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from kubetour.checks import Observation, Proof, Result
from kubetour.proofs.answering import BODY, HEADER, LOG, Told, answers, by_pod, who
from kubetour.proofs.common import endpoints, fails, holds, inspected, noted, ready_pods
from kubetour.text import Text

LATE = 3.0  # seconds that a log line may take to where `logs` reads it
WAYS = {BODY: Text("way.body"), HEADER: Text("way.header"), LOG: Text("way.log")}
UNKNOWN, STILL = Text("proof.who-unknown"), Text("proof.who-still")


@dataclass(frozen=True)
class ContainerTells:
    """The container answered; whether it tells its host name, and how, is found out here."""

    looks: ClassVar[tuple[str, ...]] = ()
    mark: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on the last answer, the ID from `inspect`, and the log."""
        details, log = seen.confirmed
        host = inspected(details.stdout).get("Config", {}).get("Hostname", "")
        printed = seen.results[-1].stdout
        told = who(printed, (host,), {host: log.stdout + log.stderr}, self.mark)
        if not told.answered:
            return fails("no-answer", answer=_brief(printed))
        data = {"way": told.way, "answer": printed.strip()}
        if told.way:
            return noted(holds("container-told", data, host=host, way=WAYS[told.way]), *_notes(printed))
        return noted(holds("container-untold", data), UNKNOWN, *_notes(printed), for_now=True)


@dataclass(frozen=True)
class PodTells:
    """A Pod with these labels answered, as far as the app tells."""

    looks: ClassVar[tuple[str, ...]] = ("pods",)
    labels: tuple[tuple[str, str], ...]
    mark: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on the last answer: it comes from such a Pod, or nobody can know."""
        pods = {pod["metadata"]["name"] for pod in seen.labelled("pods", dict(self.labels))}
        ready = ready_pods(seen, dict(self.labels))
        printed = seen.results[-1].stdout if seen.results else ""
        told = who(printed, pods, _logs(seen.confirmed), self.mark)
        rung = {"rung": seen.rung.key} if seen.rung else {}
        if not told.answered:
            return fails("no-answer", answer=_brief(printed))
        if told.way:
            name = told.counts.most_common(1)[0][0]
            data = {"answers": dict(told.counts), "way": told.way, **rung}
            return noted(holds("pod-told", data, name=name, way=WAYS[told.way]), *_notes(printed))
        if seen.told:
            return fails("pod-silent", way=WAYS[seen.told], answer=_brief(printed))
        if not ready:
            return fails("pods-unready")
        data = {"answers": {}, "way": told.way, **rung}
        return _untold(holds("pod-untold", data, ready=len(ready)), seen, printed)


@dataclass(frozen=True)
class PodsTell:
    """Every ready Pod of the Deployment answered and nobody else did, as far as the app tells."""

    looks: ClassVar[tuple[str, ...]] = ("pods", "endpointslices")
    name: str
    count: int
    requests: int
    mark: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict, with the answers per Pod, added up over the rounds so far."""
        pods = {pod["metadata"]["name"] for pod in ready_pods(seen, {"app": self.name})}
        printed = "\n".join(result.stdout for result in seen.results)
        told = who(printed, pods, _logs(seen.confirmed), self.mark)
        enough = told.answered >= self.requests and len(pods) == self.count
        if told.way or seen.told:
            return self._judge(told, pods, enough, _notes(printed), seen.told)
        behind = {name for name, ready in endpoints(seen, self.name) if ready}
        if not enough or behind != pods:
            return fails("not-all-behind", answered=told.answered, behind=len(behind), count=self.count)
        data = {"answers": {}, "requests": told.answered, "way": told.way}
        return _untold(holds("all-untold", data, count=self.count, requests=told.answered), seen, printed)

    def _judge(
        self, told: Told, pods: Collection[str], enough: bool, notes: tuple[Text, ...], known: str | None
    ) -> Proof:
        counts = {name: told.counts[name] for name in sorted(pods)}
        way = WAYS[told.way or known or BODY]
        values: dict[str, Any] = {
            "distinct": len(told.counts),
            "count": self.count,
            "requests": told.answered,
            "strangers": told.strangers,
            "shares": ", ".join(f"{name} {count}" for name, count in counts.items()),
            "way": way,
        }
        data = {"answers": counts, "requests": told.answered, "way": told.way}
        if enough and all(counts.values()) and not told.strangers:
            return noted(holds("all-told", data, **values), *notes)
        return fails("not-all-told", data, **values)


def _untold(proof: Proof, seen: Observation, printed: str) -> Proof:
    """Return a verdict with what could not be proved; the first time, a log may still tell it."""
    first = seen.told is None
    return noted(proof, UNKNOWN if first else STILL, *_notes(printed), for_now=first)


def _logs(confirmed: tuple[Result, ...]) -> Mapping[str, str]:
    """Return the logs of Pods that `kubectl logs` printed; none where this user may not read them."""
    return by_pod("\n".join(result.stdout for result in confirmed))


def _notes(printed: str) -> tuple[Text, ...]:
    """Return what a person should know of the answers: that the app has nothing at this path."""
    refused = sorted({answer.status for answer in answers(printed) if 400 <= answer.status < 500})
    return tuple(Text("proof.who-status", {"status": status}) for status in refused)


def _brief(printed: str) -> str:
    """Return the beginning of what was answered, on one line."""
    return " ".join(printed.split())[:200] or "–"
