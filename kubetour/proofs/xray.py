"""The X-ray of a Service: whom its selector finds, whom it just misses and by which key, and its ports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from kubetour.checks import Object
from kubetour.proofs.changes import name
from kubetour.proofs.common import condition, terminating
from kubetour.text import Text


@dataclass(frozen=True)
class Miss:
    """Pods that a Service would find if this one key of its selector were not another one with them."""

    key: str
    wanted: str
    found: str | None  # None: they do not have the label
    pods: tuple[str, ...]


@dataclass(frozen=True)
class Port:
    """A port of a Service that leads to no port which these Pods' containers declare."""

    port: int
    target: str
    declared: tuple[str, ...]
    named: bool  # a name must be declared, a number need not be


@dataclass(frozen=True)
class Xray:
    """What stands between a Service and Pods, by names. A Service without a selector has nothing to find."""

    service: str
    selector: str
    matching: tuple[str, ...]
    ready: tuple[str, ...]
    misses: tuple[Miss, ...]
    ports: tuple[Port, ...]

    def texts(self) -> tuple[Text, ...]:
        """Return in words why nothing answers, the likeliest first; none if something may."""
        if not self.selector:
            return ()
        if self.matching:
            return tuple(
                Text(
                    "cause.target-port",
                    {"service": self.service, "port": p.target, "declared": ", ".join(p.declared) or "–"},
                )
                for p in self.ports
                if p.named
            )
        return tuple(
            Text(
                "cause.selector",
                {
                    "service": self.service,
                    "label": miss.key,
                    "wanted": f"{miss.key}={miss.wanted}",
                    "found": "–" if miss.found is None else f"{miss.key}={miss.found}",
                    "pods": ", ".join(miss.pods),
                },
            )
            for miss in self.misses[:1]
        )


def xray(service: Object, pods: Iterable[Object]) -> Xray:
    """Return what a Service finds among the Pods of its namespace. A pure function of the objects."""
    selector = {str(k): str(v) for k, v in (service["spec"].get("selector") or {}).items()}
    there = [pod for pod in pods if not terminating(pod)]
    matching = [pod for pod in there if selector and not _differing(selector, pod)]
    return Xray(
        name(service),
        ",".join(f"{key}={value}" for key, value in sorted(selector.items())),
        tuple(sorted(map(name, matching))),
        tuple(sorted(name(pod) for pod in matching if condition(pod, "Ready"))),
        () if matching else _misses(selector, there),
        _ports(service, matching),
    )


def _differing(selector: dict[str, str], pod: Object) -> list[str]:
    labels = pod["metadata"].get("labels") or {}
    return [key for key, value in selector.items() if labels.get(key) != value]


def _misses(selector: dict[str, str], pods: list[Object]) -> tuple[Miss, ...]:
    """Return who is missed by one key alone: values that look alike first, those without the label last."""
    found: dict[tuple[str, str | None], list[str]] = {}
    for pod in pods:
        keys = _differing(selector, pod)
        if len(keys) == 1:
            value = (pod["metadata"].get("labels") or {}).get(keys[0])
            if value is not None or len(selector) > 1:  # with one key alone, every Pod would lack it
                found.setdefault((keys[0], value), []).append(name(pod))
    misses = [Miss(key, selector[key], value, tuple(sorted(names))) for (key, value), names in found.items()]
    return tuple(sorted(misses, key=lambda miss: (-_likeness(miss), miss.key, miss.pods)))


def _likeness(miss: Miss) -> float:
    return 0.0 if miss.found is None else SequenceMatcher(None, miss.wanted, miss.found).ratio()


def _ports(service: Object, pods: list[Object]) -> tuple[Port, ...]:
    """Return the ports that lead nowhere, as far as every Pod that is found declares its own."""
    wrong = []
    for port in service["spec"].get("ports") or ():
        target = port.get("targetPort", port["port"])
        declared = [p for pod in pods for c in pod["spec"]["containers"] for p in c.get("ports") or ()]
        known = {p.get("name") for p in declared} | {p["containerPort"] for p in declared}
        if pods and target not in known:
            shown = sorted(
                {"/".join(filter(None, (p.get("name"), str(p["containerPort"])))) for p in declared}
            )
            wrong.append(Port(int(port["port"]), str(target), tuple(shown), isinstance(target, str)))
    return tuple(wrong)
