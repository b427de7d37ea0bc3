"""POST, PUT and PATCH of objects and of their status."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from kubetour.embedded import admission, apierrors, views
from kubetour.embedded.advice import generation_of
from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.decoding import decode
from kubetour.embedded.handlers import apply
from kubetour.embedded.handlers.context import Call
from kubetour.embedded.negotiation import (
    PATCH_APPLY,
    PATCH_JSON,
    PATCH_MERGE,
    PATCH_STRATEGIC,
    PATCHES,
    media_type,
    parse_patch,
)
from kubetour.embedded.patch import json_patch, merge_patch
from kubetour.embedded.registry import Mutation
from kubetour.embedded.resources import Resource
from kubetour.embedded.schema import struct_of
from kubetour.embedded.strategicpatch import strategic_error, strategic_merge_patch


async def create(call: Call) -> web.StreamResponse:
    """Answer POST to a collection."""
    obj = call.decode(await call.body())
    created = call.registry.create_decoded(
        call.stored, obj, call.info.namespace, dry_run=call.dry_run, writer=call.writer()
    )
    call.advise(created)
    return call.written(created, 201)


async def update(call: Call) -> web.StreamResponse:
    """Answer PUT of an object, its status, or a Namespace's finalizers."""
    obj = call.decode(await call.body())
    info = call.info
    for field, wanted in (("name", info.name), ("namespace", info.namespace)):
        given = obj["metadata"].setdefault(field, wanted) if wanted else ""
        if given != wanted:
            raise admission.misplaced(field, given, wanted)
    current = call.registry.read(call.stored, info.name, info.namespace)
    updated = call.registry.update_decoded(
        call.stored,
        obj,
        current,
        subresource=info.subresource,
        dry_run=call.dry_run,
        writer=call.writer(),
    )
    call.advise(updated, generation_of(json.loads(current.value)))
    return call.written(updated)


async def patch(call: Call) -> web.StreamResponse:
    """Answer PATCH in any of its four forms."""
    content_type = media_type(call.request.headers.get("Content-Type", ""))
    if content_type == PATCH_APPLY:
        return await apply.apply(call)
    apply.check_not_forced(call)
    resource = call.resource
    change = patch_function(resource, struct_of(resource.api_version, resource.kind), content_type)
    document = parse_patch(await call.request.read(), content_type)
    try:
        return call.written(_modify(call, document, change))
    except StatusError as error:
        raise (strategic_error(error, document) if content_type == PATCH_STRATEGIC else error) from None


def patch_function(resource: Resource, struct: str, content_type: str) -> Any:
    """Return the function (old, patch) -> new of a patch's Content-Type; 415 for an unknown one."""
    functions = {
        PATCH_JSON: json_patch,
        PATCH_MERGE: merge_patch,
        PATCH_STRATEGIC: lambda old, patch: strategic_merge_patch(struct, old, patch),
    }
    if content_type not in functions:
        raise apierrors.unsupported_media_type(PATCHES)
    return functions[content_type]


def _modify(call: Call, document: Any, change: Any) -> Object:
    info, generation = call.info, 0

    def mutation(old: Object) -> Any:
        nonlocal generation
        generation = generation_of(old)
        if not views.is_view(call.resource):
            return change(old, document)
        changed, unknown = decode(call.resource, change(views.to_view(call.resource, old), document))
        call.check_unknown(call.resource, unknown)
        return views.from_view(call.resource, changed)

    function: Mutation = mutation
    changed = call.registry.modify(
        call.stored,
        info.name,
        info.namespace,
        function,
        subresource=info.subresource,
        dry_run=call.dry_run,
        check_unknown=call.check_unknown,
        writer=call.writer(),
    )
    call.advise(changed, generation)
    return changed
