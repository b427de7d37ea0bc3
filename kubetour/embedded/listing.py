"""Lists and watches: which stored values a request sees, in pages, at which revision, and as which events."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

from kubetour.embedded import apierrors
from kubetour.embedded.etcd import Change, CompactedError, KeyValue, Store
from kubetour.embedded.fielderrors import forbidden, unsupported
from kubetour.embedded.resources import Resource
from kubetour.embedded.selectors import matcher
from kubetour.embedded.watcher import Watcher

_MATCHES = ("Exact", "NotOlderThan")


@dataclass(frozen=True)
class Query:
    """What a list asks for; `limit` 0 is no limit, `resource_version` counts where `match` says Exact."""

    labels: str = ""
    fields: str = ""
    limit: int = 0
    continue_token: str = ""
    resource_version: str = ""
    match: str = ""


@dataclass(frozen=True)
class Page:
    """Stored JSON texts, the revision they are of, and where the next page begins ("": this is the last)."""

    values: list[str]
    revision: int
    continue_token: str = ""
    remaining: int = 0


def check_watch(query: Query, *, initial: bool) -> None:
    """Refuse what a watch's options cannot mean together; `initial`: sendInitialEvents is among them."""
    match, where = query.match, "resourceVersionMatch"
    errors = []
    if initial and match != "NotOlderThan":
        errors.append(forbidden(where, f"sendInitialEvents requires setting {where} to NotOlderThan"))
    if match and not initial:
        errors.append(
            forbidden(where, f"{where} is forbidden for watch unless sendInitialEvents is provided")
        )
    if match not in ("", "NotOlderThan"):
        errors.append(unsupported(where, match, ("NotOlderThan",)))
    if match and query.continue_token:
        errors.append(forbidden(where, f"{where} is forbidden when continue is provided"))
    if errors:
        raise apierrors.invalid_options("ListOptions", errors)


def check(query: Query, *, initial: bool) -> None:
    """Refuse what a list's options cannot mean together: 422, or 400 for a version beside a continuation."""
    match, where = query.match, "resourceVersionMatch"
    errors = []
    if initial:
        errors.append(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    if match and not query.resource_version:
        errors.append(forbidden(where, f"{where} is forbidden unless resourceVersion is provided"))
    if match and query.continue_token:
        errors.append(forbidden(where, f"{where} is forbidden when continue is provided"))
    if match not in ("", *_MATCHES):
        errors.append(unsupported(where, match, ("", *_MATCHES)))
    if match == "Exact" and query.resource_version == "0":
        errors.append(forbidden(where, f'{where} "exact" is forbidden for resourceVersion "0"'))
    if errors:
        raise apierrors.invalid_options("ListOptions", errors)
    if query.continue_token and query.resource_version not in ("", "0"):
        raise apierrors.bad_request("specifying resource version is not allowed when using continue")


def prefix(resource: Resource, namespace: str) -> str:
    """Return what the keys of a resource in a namespace begin with ("": in all namespaces)."""
    return f"/{resource.plural}/{namespace}/" if resource.namespaced and namespace else f"/{resource.plural}/"


def page(store: Store, resource: Resource, namespace: str, query: Query) -> Page:
    """Return the values that match, in key order."""
    revision, start = _position(store, query)
    try:
        found = store.range(prefix(resource, namespace), revision)
    except CompactedError:
        raise apierrors.expired(
            "The provided continue parameter is too old to display a consistent list result. You can start "
            "a new list without the continue parameter."
            if start
            else "The resourceVersion for the provided list is too old."
        ) from None
    except ValueError:
        raise apierrors.too_large(revision, store.revision) from None
    match = matcher(resource, query.labels, query.fields)
    kept: list[KeyValue] = [
        kv for kv in found if kv.key > start and (match is None or match(json.loads(kv.value)))
    ]
    revision = revision or store.revision
    token, remaining = "", 0
    if 0 < query.limit < len(kept):
        remaining = len(kept) - query.limit
        kept = kept[: query.limit]
        token = _token(revision, kept[-1].key)
    return Page([kv.value for kv in kept], revision, token, remaining)


def _position(store: Store, query: Query) -> tuple[int, str]:
    """Return the revision to read at (0: now) and the key to begin after."""
    if query.continue_token:
        try:
            token = json.loads(base64.urlsafe_b64decode(query.continue_token + "=="))
            return within(int(token["rv"])), str(token["start"])
        except (ValueError, KeyError, TypeError, binascii.Error):
            raise apierrors.bad_request("continue key is not valid: it is not one this server gave") from None
    asked = parse_revision(query.resource_version or "0")
    if asked > store.revision:
        raise apierrors.too_large(asked, store.revision)
    # Without a match, a limit makes a version mean just that one, as it always did.
    exact = query.match == "Exact" or (query.limit and not query.match)
    return (asked if exact else 0), ""


def _token(revision: int, key: str) -> str:
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": key}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def within(number: int) -> int:
    """Return a number that 64 bits can hold, as Go and SQLite have them; ValueError for another."""
    if not -(1 << 63) <= number < 1 << 63:
        raise ValueError(number)
    return number


def parse_revision(text: str) -> int:
    """Return a resourceVersion as a number; 400 for what is none."""
    try:
        return within(int(text or "0"))
    except ValueError:
        raise apierrors.bad_request(f'Invalid value: "{text}": resourceVersion must be a number') from None


def follow(store: Store, resource: Resource, namespace: str, after: int) -> Watcher:
    """Watch a resource in the store from a revision on; 410 where that is compacted."""
    try:
        return store.watch(prefix(resource, namespace), after)
    except CompactedError as error:
        raise apierrors.too_old(after, error.args[0]) from None


async def changes(watcher: Watcher) -> AsyncIterator[Change]:
    """Yield a watcher's changes; 410 where it fell behind the compaction."""
    try:
        async for change in watcher:
            yield change
    except CompactedError as error:
        raise apierrors.too_old(watcher.revision, error.args[0]) from None


class EventView:
    """How changes look through selectors: what begins to match is ADDED, what ceases is DELETED."""

    def __init__(self, resource: Resource, labels: str, fields: str) -> None:
        self._match = matcher(resource, labels, fields)

    def event(self, change: Change) -> tuple[str, str] | None:
        """Return the event's type and the object's JSON text, or None where the change is out of view."""
        before, now = change.previous is not None, not change.deleted
        if self._match is not None:
            before = before and self._match(json.loads(change.previous or ""))
            now = now and self._match(json.loads(change.value))
        if now:
            return ("MODIFIED" if before else "ADDED"), change.value
        return ("DELETED", change.value) if before else None
