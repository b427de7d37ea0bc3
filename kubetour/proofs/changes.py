"""What a recorded step's changes tell: how it was before, and when something was first so."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kubetour.checks import Change, Object, Observation


def before(seen: Observation, resource: str) -> dict[str, Object]:
    """Return the objects of a resource by uid, as they were when the first command began."""
    found: dict[str, Object] = {}
    for change in seen.changes:
        if change.resource != resource or change.at >= 0:
            continue
        if change.event == "DELETED":
            found.pop(uid(change.object), None)
        else:
            found[uid(change.object)] = change.object
    return found


def since(seen: Observation, resource: str) -> tuple[Change, ...]:
    """Return the changes of a resource since the first command began."""
    return tuple(c for c in seen.changes if c.resource == resource and c.at >= 0)


def first(changes: Iterable[Change], met: Callable[[Change], bool]) -> float | None:
    """Return when a change was first so, in seconds; None if none was."""
    return next((change.at for change in changes if met(change)), None)


def uid(item: Object) -> str:
    """Return an object's uid."""
    return str(item["metadata"]["uid"])


def name(item: Object) -> str:
    """Return an object's name."""
    return str(item["metadata"]["name"])


def milliseconds(seconds: float | None) -> str:
    """Return a time as texts show it: whole milliseconds, or a dash for what was not seen."""
    return "–" if seconds is None else str(round(seconds * 1000))
