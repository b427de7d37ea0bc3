"""Events in their two forms: one store in v1's, which events.k8s.io/v1 sees under its own names."""

from __future__ import annotations

from kubetour.embedded.api import Object

GROUP = "events.k8s.io"
# core/v1 -> events.k8s.io/v1
_NAMES = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_BACK = {new: old for old, new in _NAMES.items()}


def to_view(event: Object) -> Object:
    """Return a stored Event as events.k8s.io/v1 shows it."""
    return {
        **{_NAMES.get(key, key): value for key, value in event.items()},
        "kind": "Event",
        "apiVersion": f"{GROUP}/v1",
    }


def from_view(event: Object) -> Object:
    """Return an events.k8s.io/v1 Event as it is stored."""
    return {
        **{_BACK.get(key, key): value for key, value in event.items()},
        "kind": "Event",
        "apiVersion": "v1",
    }
