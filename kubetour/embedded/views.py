"""Resources that are another version or group of one that is stored: how each is shown, and stored again."""

from __future__ import annotations

from kubetour.embedded import autoscalingv1, eventsv1
from kubetour.embedded.api import Object
from kubetour.embedded.resources import Resource, by_plural

_CONVERSIONS = {
    "events": (eventsv1.to_view, eventsv1.from_view),
    "horizontalpodautoscalers": (autoscalingv1.to_view, autoscalingv1.from_view),
}


def is_view(resource: Resource) -> bool:
    """Tell whether a resource is not stored itself."""
    return resource is not by_plural(resource.plural)


def to_view(resource: Resource, obj: Object) -> Object:
    """Return a stored object as a resource, which may be the stored one itself, shows it."""
    return _CONVERSIONS[resource.plural][0](obj) if is_view(resource) else obj


def from_view(resource: Resource, obj: Object) -> Object:
    """Return an object of a resource in the form in which it is stored."""
    return _CONVERSIONS[resource.plural][1](obj) if is_view(resource) else obj
