"""GET with watch=1: a stream of events, one JSON document per line."""

from __future__ import annotations

import asyncio
import json
import random

from aiohttp import web

from kubetour.embedded import apierrors, listing, views
from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.etcd import CompactedError
from kubetour.embedded.handlers.context import Call
from kubetour.embedded.handlers.read import ENDPOINTS_DEPRECATED
from kubetour.embedded.negotiation import JSON, form
from kubetour.embedded.registry import to_json
from kubetour.embedded.tables import partial_metadata, row, table
from kubetour.embedded.watcher import Watcher

# As in Kubernetes: a bookmark about once a minute, and an end after 30 to 60 minutes.
_BOOKMARK_SECONDS = 60.0
_SHORTEST, _LONGEST = 1800.0, 3600.0
# After a write, so long until the next one: of a stream of changes several are sent together, as each sending
# costs as much as a dozen changes do. The first one after a while is sent at once.
_PAUSE = 0.005


class Stream:
    """One client's watch: which events it sees, and in which form."""

    def __init__(self, call: Call) -> None:
        query = call.list_query()
        listing.check_watch(query, initial="sendInitialEvents" in call.query)
        self._call = call
        self._form = form(call.request.headers.get("Accept", ""))
        self._view = listing.EventView(call.stored, query.labels, query.fields)
        self._query = query
        self._headers_due = True
        self._initial: list[str] = []
        self._initial_end = False
        self.watcher = self._open()

    def _open(self) -> Watcher:
        """Begin where the client asks: after a resourceVersion, or with what there is now ("", "0")."""
        registry, info = self._call.registry, self._call.info
        after = listing.parse_revision(self._query.resource_version)
        self._initial_end = self._call.flag("sendInitialEvents")
        if after == 0 or self._initial_end:
            everything = listing.Query(labels=self._query.labels, fields=self._query.fields)
            page = listing.page(registry.store, self._call.stored, info.namespace, everything)
            self._initial, after = page.values, page.revision
        return registry.follow(self._call.stored, info.namespace, after)

    def initial(self) -> bytes:
        """Return what there was when the watch began, as ADDED events."""
        lines = [self._line("ADDED", value) for value in self._initial]
        if self._initial_end and self._call.flag("allowWatchBookmarks"):
            lines.append(self.bookmark({"annotations": {"k8s.io/initial-events-end": "true"}}))
        self._initial = []
        return b"".join(lines)

    def pending(self) -> bytes:
        """Return all that has happened since the last call."""
        lines = []
        while (change := self.watcher.poll()) is not None:
            event = self._view.event(change)
            if event:
                lines.append(self._line(*event))
        return b"".join(lines)

    def _line(self, kind: str, value: str) -> bytes:
        if self._form == "" and not views.is_view(self._call.resource):
            return f'{{"type":"{kind}","object":{value}}}\n'.encode()
        return self._event(kind, json.loads(value))

    def _event(self, kind: str, obj: Object) -> bytes:
        call = self._call
        if self._form == "Table":
            include = call.query.get("includeObject", "Metadata")
            rows = [] if kind == "BOOKMARK" else [row(call.stored, obj, call.registry.clock.now(), include)]
            version = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
            shown = table(call.stored, rows, version, headers=self._headers_due)
            self._headers_due = False
        elif self._form == "PartialObjectMetadata":
            shown = partial_metadata(obj)
        else:
            shown = views.to_view(call.resource, obj)
        return (to_json({"type": kind, "object": shown}) + "\n").encode()

    def bookmark(self, more: Object | None = None) -> bytes:
        """Return a bookmark: everything up to the present revision was sent."""
        metadata = {"resourceVersion": str(self._call.registry.store.revision), **(more or {})}
        resource = self._call.stored
        head = {"kind": resource.kind, "apiVersion": resource.api_version}
        return self._event("BOOKMARK", {**head, "metadata": metadata})


def error_line(error: StatusError) -> bytes:
    """Return the event by which a watch says why it ends."""
    return (to_json({"type": "ERROR", "object": error.status()}) + "\n").encode()


async def watch(call: Call) -> web.StreamResponse:
    """Answer a watch until its time is over, the server stops or the client goes."""
    seconds = call.number("timeoutSeconds") or random.uniform(_SHORTEST, _LONGEST)  # noqa: S311 -- spreads load
    response = web.StreamResponse(headers={"Content-Type": JSON, "Cache-Control": "no-cache, private"})
    if call.resource.plural == "endpoints":
        response.headers["Warning"] = f'299 - "{ENDPOINTS_DEPRECATED}"'
    response.enable_chunked_encoding()
    try:
        stream = Stream(call)
    except StatusError as error:
        if error.code != 410:
            raise
        await response.prepare(call.request)
        await response.write(error_line(error))
        await response.write_eof()
        return response
    call.watches.add(stream.watcher)
    try:
        await response.prepare(call.request)
        await _run(stream, response, call, seconds)
        await response.write_eof()
    finally:
        call.watches.discard(stream.watcher)
        stream.watcher.close()
    return response


async def _run(stream: Stream, response: web.StreamResponse, call: Call, seconds: float) -> None:
    clock, bookmarks = call.registry.clock, call.flag("allowWatchBookmarks")
    end = clock.monotonic() + seconds
    bookmark = clock.monotonic() + _BOOKMARK_SECONDS
    lines = stream.initial()
    while True:
        try:
            lines += stream.pending()
        except CompactedError as error:
            await response.write(error_line(apierrors.too_old(stream.watcher.revision, error.args[0])))
            return
        now = clock.monotonic()
        if bookmarks and now >= bookmark:
            lines += stream.bookmark()
            bookmark = now + _BOOKMARK_SECONDS
        if lines:
            await response.write(lines)
            lines = b""
            await asyncio.sleep(_PAUSE)
            continue
        if now >= end or stream.watcher.closed:
            return
        await stream.watcher.wait(min(end, bookmark if bookmarks else end) - now)
