"""DELETE of one object or of a collection."""

from __future__ import annotations

import json
from dataclasses import replace

from aiohttp import web

from kubetour.embedded import apierrors, listing
from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.deletion import POLICIES, DeleteOptions
from kubetour.embedded.fielderrors import unsupported
from kubetour.embedded.handlers.context import Call
from kubetour.embedded.handlers.read import list_text
from kubetour.embedded.registry import to_json


async def delete(call: Call) -> web.StreamResponse:
    """Answer DELETE of one object: with it where it lives on or its kind says so, else with a Status."""
    options, dry = await read_options(call)
    obj, gone = call.registry.delete_with(
        call.stored, call.info.name, call.info.namespace, options, dry_run=dry
    )
    if not gone or call.resource.returns_deleted:
        return call.object(obj)
    resource = call.resource
    details = {"name": call.info.name, "group": resource.group, "kind": resource.plural}
    return call.text(to_json(success({**details, "uid": obj["metadata"]["uid"]})))


def success(details: Object) -> Object:
    """Return the Status of a call that worked."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }


async def delete_collection(call: Call) -> web.StreamResponse:
    """Answer DELETE of a collection: all objects that the selectors match, listed as they were."""
    options, dry = await read_options(call)
    query = replace(call.list_query(), limit=0, continue_token="", match="", resource_version="")
    page = listing.page(call.registry.store, call.stored, call.info.namespace, query)
    for value in page.values:
        metadata = json.loads(value)["metadata"]
        try:
            call.registry.delete_with(
                call.stored, metadata["name"], metadata.get("namespace", ""), options, dry_run=dry
            )
        except StatusError as error:
            if error.reason != "NotFound":
                raise
    return call.text(list_text(call, page.values, {"resourceVersion": str(call.registry.store.revision)}))


async def read_options(call: Call) -> tuple[DeleteOptions, bool]:
    """Return the DeleteOptions of the body, or of the URL's parameters where there is no body, and whether
    nothing is to be stored."""
    body = await call.options("DeleteOptions") if call.request.can_read_body else {}
    grace = body.get("gracePeriodSeconds", call.number("gracePeriodSeconds"))
    policy = body.get("propagationPolicy") or call.query.get("propagationPolicy", "")
    orphan = body.get("orphanDependents", call.query.get("orphanDependents"))
    if not policy and orphan is not None:
        policy = "Orphan" if str(orphan).lower() == "true" else "Background"
    if policy and policy not in POLICIES:
        error = unsupported("propagationPolicy", policy, POLICIES)
        raise apierrors.invalid_options("DeleteOptions", [error])
    if grace is not None and type(grace) is not int:
        raise apierrors.bad_request("gracePeriodSeconds must be a whole number")
    preconditions = body.get("preconditions") or {}
    uid, version = preconditions.get("uid") or "", preconditions.get("resourceVersion") or ""
    dry = call.is_dry(body.get("dryRun") or []) or call.dry_run
    return DeleteOptions(grace, policy, uid, version), dry
