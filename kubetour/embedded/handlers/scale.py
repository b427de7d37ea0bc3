"""The scale subresource: a workload's replica count as an autoscaling/v1 Scale."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from kubetour.embedded import admission
from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.decoding import decode
from kubetour.embedded.fielderrors import NOT_NEGATIVE, invalid
from kubetour.embedded.handlers import apply
from kubetour.embedded.handlers.context import Call
from kubetour.embedded.handlers.write import patch_function
from kubetour.embedded.managedfields import APPLY, Manager
from kubetour.embedded.negotiation import PATCH_APPLY, form, media_type, parse_patch
from kubetour.embedded.registry import to_json
from kubetour.embedded.resources import Resource
from kubetour.embedded.schema import struct_of
from kubetour.embedded.selectors import format_label_selector
from kubetour.embedded.tables import row, table

KIND, API_VERSION = "Scale", "autoscaling/v1"
SCALE = Resource("autoscaling", "v1", KIND, "scales", "scale")


def scale_of(obj: Object) -> Object:
    """Return the Scale of a workload."""
    metadata = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    # Replicas of 0 are left out, as by the Go type, whose zero it is.
    replicas, selector = spec.get("replicas", 0), spec.get("selector")
    if obj["kind"] == "ReplicationController":  # from before there were other terms than equality
        selector = {"matchLabels": selector}
    return {
        "kind": KIND,
        "apiVersion": API_VERSION,
        "metadata": {key: metadata[key] for key in kept if key in metadata},
        "spec": {"replicas": replicas} if replicas else {},
        "status": {
            "replicas": status.get("replicas", 0),
            "selector": format_label_selector(selector),
        },
    }


async def get(call: Call) -> web.StreamResponse:
    """Answer GET of a Scale."""
    scale = scale_of(call.registry.get(call.resource.plural, call.info.name, call.info.namespace))
    if form(call.request.headers.get("Accept", "")) == "Table":
        now, include = call.registry.clock.now(), call.query.get("includeObject", "Metadata")
        version = {"resourceVersion": scale["metadata"]["resourceVersion"]}
        return call.text(to_json(table(SCALE, [row(SCALE, scale, now, include)], version)))
    return call.text(to_json(scale))


async def update(call: Call) -> web.StreamResponse:
    """Answer PUT of a Scale."""
    scale = await call.body(KIND)
    return _write(call, lambda _: scale, call.writer())


async def patch(call: Call) -> web.StreamResponse:
    """Answer PATCH of a Scale."""
    content_type = media_type(call.request.headers.get("Content-Type", ""))
    if content_type == PATCH_APPLY:
        return await _apply(call)
    change = patch_function(call.resource, struct_of(API_VERSION, KIND), content_type)
    document = parse_patch(await call.request.read(), content_type)
    return _write(call, lambda scale: change(scale, document), call.writer())


async def _apply(call: Call) -> web.Response:
    """Apply a Scale: a configuration of its workload that says no more than the replicas."""
    body = await apply.read(call)
    scale, unknown = decode(call.resource, body, kind=KIND, api_version=API_VERSION)
    call.check_unknown(call.resource, unknown)
    spec = {key: value for key, value in (scale.get("spec") or {}).items() if key == "replicas"}
    if spec.get("replicas", 0) < 0:
        raise _invalid(call.info.name, spec["replicas"])
    resource, metadata = call.stored, {"name": call.info.name, "namespace": call.info.namespace}
    config = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata, "spec": spec}
    return call.text(to_json(scale_of(apply.change(call, config, call.writer(APPLY), ""))))


def _write(call: Call, change: Any, writer: Manager) -> web.Response:
    name = call.info.name

    def mutation(obj: Object) -> Object:
        scale, unknown = decode(call.resource, change(scale_of(obj)), kind=KIND, api_version=API_VERSION)
        call.check_unknown(call.resource, unknown)
        replicas = (scale.get("spec") or {}).get("replicas", 0)
        if replicas < 0:
            raise _invalid(name, replicas)
        metadata = dict(obj["metadata"])
        # A Scale's resourceVersion is the workload's: naming another is a conflict, naming none is not.
        metadata["resourceVersion"] = scale["metadata"].get("resourceVersion", metadata["resourceVersion"])
        if scale["metadata"].get("name", name) != name:
            raise admission.misplaced("name", scale["metadata"]["name"], name)
        return {**obj, "metadata": metadata, "spec": {**obj["spec"], "replicas": replicas}}

    updated = call.registry.modify(
        call.stored, name, call.info.namespace, mutation, dry_run=call.dry_run, writer=writer
    )
    return call.text(to_json(scale_of(updated)))


def _invalid(name: str, replicas: int) -> StatusError:
    error = invalid("spec.replicas", replicas, NOT_NEGATIVE)
    return StatusError(
        422,
        "Invalid",
        f'Scale.autoscaling "{name}" is invalid: {error}',
        {"name": name, "group": "autoscaling", "kind": KIND, "causes": [error.cause()]},
    )
