"""Checks of what follows when Pods are deleted: nothing, or others in their place and the same Service."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from kubetour.checks import Change, Object, Observation, Proof
from kubetour.proofs.changes import before, first, milliseconds, name, since, uid
from kubetour.proofs.common import (
    condition,
    endpoints,
    fails,
    holds,
    owner,
    ready_pods,
    refutes,
    terminating,
)
from kubetour.proofs.workload import Gone
from kubetour.text import Text


@dataclass(frozen=True)
class NothingReturns:
    """What is `gone` stays gone: no Pod with its labels is made in its place."""

    looks: ClassVar[tuple[str, ...]] = Gone.looks
    gone: Gone

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict, with when the Pods were gone, in seconds; refuted by one that is made again."""
        labels = dict(self.gone.labels).items()
        pods = [c for c in since(seen, "pods") if labels <= c.object["metadata"].get("labels", {}).items()]
        gone = first(pods, lambda change: change.event == "DELETED")
        made = [change for change in pods if change.event == "ADDED"]
        data = {"gone": gone, "returned": made[0].at if made else None}
        if made:
            return refutes("returned", data, name=name(made[0].object), after=milliseconds(made[0].at))
        proof = self.gone(seen)
        if not proof.holds or gone is None:
            return replace(proof, data=data)
        return holds("nothing-returns", data, gone=milliseconds(gone), **proof.text.values)


@dataclass(frozen=True)
class Replaced:
    """Each of a Deployment's Pods that was deleted has another in its place, which is Ready."""

    looks: ClassVar[tuple[str, ...]] = ("deployments", "pods")
    name: str
    count: int

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict, with each pair: in seconds, when one was gone, the other made and ready."""
        labels = {"app": self.name}
        old, new = pods_before(seen, labels), ready_pods(seen, labels)
        pods = since(seen, "pods")
        rows = _pairs(old, [pod for pod in new if uid(pod) not in old], pods)
        values = {"count": self.count, "new": len(rows), "old": len(old)}
        left = old.keys() & {uid(pod) for pod in seen.objects.get("pods", ()) if not terminating(pod)}
        if left or not old or len(rows) != self.count or any(not owner(pod) for pod in new):
            return fails("replacing", {"replaced": rows}, **values)
        made, ready = (max(row[key] or 0.0 for row in rows) for key in ("created", "ready"))
        return holds(
            "replaced", {"replaced": rows}, made=milliseconds(made), ready=milliseconds(ready), **values
        )


@dataclass(frozen=True)
class SameAddress:
    """The Pods behind a Service are others, with addresses of their own; the Service is what it was."""

    looks: ClassVar[tuple[str, ...]] = ("pods", "services", "endpointslices")
    service: str
    count: int

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict, with names and addresses before and after; refuted if the Service changed."""
        labels = {"app": self.service}
        old, new = pods_before(seen, labels), ready_pods(seen, labels)
        had = [item for item in before(seen, "services").values() if name(item) == self.service]
        now = [change.object for change in since(seen, "services") if name(change.object) == self.service]
        data = {
            "service": [_service(item) for item in (*had, *now)],
            "before": [_pod(pod) for pod in old.values()],
            "after": [_pod(pod) for pod in new],
        }
        values = {"service": self.service, "before": _shown(data["before"]), "after": _shown(data["after"])}
        if not had or not old:
            return fails("address-unknown", data, service=self.service)
        address = had[0]["spec"].get("clusterIP", "–")
        if any(_service(item) != _service(had[0]) for item in now):
            other = next(item for item in now if _service(item) != _service(had[0]))
            return refutes(
                "address-changed",
                data,
                service=self.service,
                old=address,
                new=other["spec"].get("clusterIP", "–"),
            )
        behind = {who for who, is_ready in endpoints(seen, self.service) if is_ready}
        others = len(new) == self.count and not old.keys() & {uid(pod) for pod in new}
        if not others or behind != {name(pod) for pod in new}:
            return fails("address-waiting", data, **values)
        proof = holds("same-address", data, address=address, **values)
        if {pod["address"] for pod in data["before"]} & {pod["address"] for pod in data["after"]}:
            return replace(proof, notes=(Text("proof.address-again"),))
        return proof


def pods_before(seen: Observation, labels: dict[str, str]) -> dict[str, Object]:
    """Return the Pods with these labels that were there when the step began, by uid."""
    return {
        key: pod
        for key, pod in before(seen, "pods").items()
        if labels.items() <= pod["metadata"].get("labels", {}).items() and not terminating(pod)
    }


def _pairs(old: dict[str, Object], new: list[Object], pods: tuple[Change, ...]) -> list[dict[str, Any]]:
    """Return who took whose place: the first that was made, that of the first that went."""

    def at(key: str, event: str = "", *, ready: bool = False) -> float | None:
        return first(
            pods,
            lambda c: (
                uid(c.object) == key
                and event in ("", c.event)
                and (not ready or condition(c.object, "Ready"))
            ),
        )

    gone = sorted(((at(key, "DELETED"), name(pod)) for key, pod in old.items()), key=_by_time)
    made = sorted(((at(uid(pod)), uid(pod), name(pod)) for pod in new), key=_by_time)
    return [
        {"old": was, "gone": when, "new": called, "created": created, "ready": at(key, ready=True)}
        for (when, was), (created, key, called) in zip(gone, made, strict=False)
    ]


def _by_time(item: tuple[Any, ...]) -> tuple[bool, Any]:
    return item[0] is None, item[0] or 0.0


def _service(item: Object) -> dict[str, str]:
    return {"uid": uid(item), "address": str(item["spec"].get("clusterIP", ""))}


def _pod(pod: Object) -> dict[str, str]:
    return {"name": name(pod), "address": str(pod.get("status", {}).get("podIP", ""))}


def _shown(pods: list[dict[str, str]]) -> str:
    return ", ".join(f"{pod['name']} {pod['address']}" for pod in pods) or "–"
