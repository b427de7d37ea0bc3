"""GET: one object, or a list of them, as JSON, as a Table or as metadata alone."""

from __future__ import annotations

import json

from aiohttp import web

from kubetour.embedded import listing, views
from kubetour.embedded.api import Object
from kubetour.embedded.handlers.context import Call
from kubetour.embedded.negotiation import form
from kubetour.embedded.registry import to_json
from kubetour.embedded.tables import partial_metadata, row, table

ENDPOINTS_DEPRECATED = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"


async def get(call: Call) -> web.StreamResponse:
    """Answer GET of one object."""
    _warn(call)
    return call.stored_text(call.registry.read(call.stored, call.info.name, call.info.namespace).value)


async def list_(call: Call) -> web.StreamResponse:
    """Answer GET of a collection."""
    _warn(call)
    wanted = form(call.request.headers.get("Accept", ""))
    query = call.list_query()
    listing.check(query, initial="sendInitialEvents" in call.query)
    page = listing.page(call.registry.store, call.stored, call.info.namespace, query)
    metadata: Object = {"resourceVersion": str(page.revision)}
    if page.continue_token:
        metadata["continue"] = page.continue_token
        metadata["remainingItemCount"] = page.remaining
    if wanted == "Table":
        now, include = call.registry.clock.now(), call.query.get("includeObject", "Metadata")
        rows = [row(call.stored, json.loads(value), now, include) for value in page.values]
        return call.text(to_json(table(call.stored, rows, metadata)))
    if wanted == "PartialObjectMetadata":
        items = [partial_metadata(json.loads(value)) for value in page.values]
        head = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
        return call.text(to_json({**head, "items": items}))
    return call.text(list_text(call, page.values, metadata))


def list_text(call: Call, values: list[str], metadata: Object) -> str:
    """Return a List around stored JSON texts; its items do not repeat their kind and apiVersion."""
    resource = call.resource
    head = to_json({"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": metadata})
    if views.is_view(resource):
        values = [to_json(views.to_view(resource, json.loads(value))) for value in values]
        return f'{head[:-1]},"items":[{",".join(values)}]}}'
    cut = len(to_json({"kind": resource.kind, "apiVersion": resource.api_version}))
    return f'{head[:-1]},"items":[{",".join("{" + value[cut:] for value in values)}]}}'


def _warn(call: Call) -> None:
    if call.resource.plural == "endpoints":
        call.warnings.append(ENDPOINTS_DEPRECATED)
