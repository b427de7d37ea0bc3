"""How endpoints are spread over slices, so that as few slices as possible change. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from kubetour.embedded.api import Object
from kubetour.embedded.endpoints_util import Signature, signature

MAX_ENDPOINTS = 100
Ports = list[Object]
Content = tuple[Ports, list[Object]]
# What a slice shall hold; None where it is not needed any more.
Slice = Content | None


def pack(wanted: Sequence[tuple[Ports, Object]], present: Sequence[Content]) -> list[Slice]:
    """Return what each of the slices that are there shall hold, and after them those to be made.

    All endpoints of a slice have the same ports. An endpoint stays in its slice; a new one goes where
    there is room, first into a slice that changes anyway. A Service without endpoints keeps one empty slice.
    """
    groups: dict[Signature, tuple[Ports, dict[str, Object]]] = {}
    known: dict[int, Signature] = {}
    for ports, endpoint in wanted:
        # Mostly one and the same list, so its signature is worked out once.
        same = known.get(id(ports)) or known.setdefault(id(ports), signature(ports))
        groups.setdefault(same, (ports, {}))[1][endpoint["targetRef"]["uid"]] = endpoint
    result: list[Slice] = [_kept(content, groups) for content in present]
    spare = [index for index, content in enumerate(result) if content is None]
    for ports, left in groups.values():
        fresh = list(left.values())
        for index in _by_preference(result, present, ports):
            content = result[index]
            if content and fresh:
                room = MAX_ENDPOINTS - len(content[1])
                result[index] = (ports, content[1] + fresh[:room])
                fresh = fresh[room:]
        for start in range(0, len(fresh), MAX_ENDPOINTS):
            made: Content = (ports, fresh[start : start + MAX_ENDPOINTS])
            # A slice about to be deleted is used again before another is made.
            if spare:
                result[spare.pop(0)] = made
            else:
                result.append(made)
    if not any(result):
        if result:
            result[0] = ([], [])
        else:
            result.append(([], []))
    return result


def _kept(content: Content, groups: dict[Signature, tuple[Ports, dict[str, Object]]]) -> Slice:
    """Return a slice with those of its endpoints that are still wanted, as they are now."""
    ports, endpoints = content
    _, wanted = groups.get(signature(ports), (ports, {}))
    kept = [
        wanted.pop(uid)
        for endpoint in endpoints
        if (uid := endpoint.get("targetRef", {}).get("uid", "")) in wanted
    ]
    return (ports, kept) if kept else None


def _by_preference(result: Sequence[Slice], present: Sequence[Content], ports: Ports) -> list[int]:
    """Return the slices with room: those that change already first, of these the fullest first."""
    fitting = [
        index
        for index, content in enumerate(result)
        if content and signature(content[0]) == signature(ports) and len(content[1]) < MAX_ENDPOINTS
    ]

    def preference(index: int) -> tuple[bool, int]:
        content = result[index]
        untouched = index < len(present) and content == present[index]
        return untouched, -len(content[1] if content else ())

    return sorted(fitting, key=preference)
