"""Readings of a Pod that several components need (pkg/api/v1/pod in Kubernetes)."""

from __future__ import annotations

from datetime import datetime, timezone

from kubetour.embedded.api import Object


def parse_time(text: str) -> datetime:
    """Return a metav1.Time or MicroTime as a datetime in UTC; ValueError if it is none."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    # Not strptime, which is fifty times slower; Python 3.10's fromisoformat wants exactly six decimals.
    moment = datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}" if fraction else whole)
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)


def is_terminal(pod: Object) -> bool:
    """Tell whether a Pod has ended for good."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def condition(obj: Object, kind: str) -> Object | None:
    """Return the condition of that type of an object's status, or None."""
    # A plain loop: for a Service of thousands of Pods this is what its endpoints cost.
    for item in (obj.get("status") or {}).get("conditions") or ():
        if item["type"] == kind:
            found: Object = item
            return found
    return None


def is_ready(obj: Object) -> bool:
    """Tell whether a Pod's or a Node's condition Ready is True."""
    ready = condition(obj, "Ready")
    return ready is not None and ready["status"] == "True"


def ready_since(pod: Object) -> datetime | None:
    """Return since when a Pod has been ready, None if it is not."""
    ready = condition(pod, "Ready")
    if ready is None or ready["status"] != "True":
        return None
    return parse_time(ready["lastTransitionTime"])
