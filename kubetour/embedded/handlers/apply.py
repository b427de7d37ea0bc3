"""PATCH of the type application/apply-patch+yaml: server-side apply."""

from __future__ import annotations

from aiohttp import web

from kubetour.embedded import admission, apierrors, applyerrors, applypatch, tracking, views
from kubetour.embedded.advice import generation_of
from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.clock import rfc3339
from kubetour.embedded.decoding import decode
from kubetour.embedded.fielderrors import FieldError, forbidden, required
from kubetour.embedded.handlers.context import Call
from kubetour.embedded.managedfields import APPLY, Manager
from kubetour.embedded.negotiation import parse_yaml
from kubetour.embedded.resources import STATUS
from kubetour.embedded.schema import struct_of


async def apply(call: Call) -> web.StreamResponse:
    """Answer an apply: the object changed, or created if there is none (then with 201)."""
    config = _configuration(call, await read(call))
    writer = call.writer(APPLY)
    info = call.info
    try:
        call.registry.read(call.stored, info.name, info.namespace)
    except StatusError:
        if info.subresource:
            raise
        created = call.registry.create_decoded(
            call.stored, config, info.namespace, dry_run=call.dry_run, writer=writer
        )
        call.advise(created)
        return call.object(created, 201)
    return call.object(change(call, config, writer, info.subresource))


def change(call: Call, config: Object, writer: Manager, subresource: str) -> Object:
    """Apply a configuration to an object that is there, and return it as it is then."""
    struct, now = tracking.struct_name(call.stored), rfc3339(call.registry.clock.now())
    force, generation = call.flag("force"), 0

    def mutation(live: Object) -> Object:
        nonlocal generation
        generation = generation_of(live)
        return applypatch.apply(struct, live, config, writer, now, force=force)

    changed = call.registry.modify(
        call.stored,
        call.info.name,
        call.info.namespace,
        mutation,
        subresource=subresource,
        dry_run=call.dry_run,
        writer=writer,
    )
    call.advise(changed, generation)
    return changed


async def read(call: Call) -> Object:
    """Return the body of an apply; 400 or 422 for what is none."""
    document = parse_yaml(await call.request.read())
    if not isinstance(document, dict):
        raise apierrors.bad_request("error decoding YAML: an apply configuration is an object")
    if not call.query.get("fieldManager"):
        raise _invalid_options(required("fieldManager", "is required for apply patch"))
    metadata = document.get("metadata")
    if isinstance(metadata, dict) and metadata.get("managedFields"):
        raise apierrors.bad_request("metadata.managedFields must be nil")
    return document


def _configuration(call: Call, document: Object) -> Object:
    """Return what is applied, in the form in which objects are stored, without what it may not set here."""
    info, resource = call.info, call.resource
    version = document.get("apiVersion", "")
    if version != resource.api_version:
        raise apierrors.bad_request(
            f"Incorrect version specified in apply patch. Specified patch version: {version}, "
            f"expected: {resource.api_version}"
        )
    _check_type(call, document)
    config, _ = decode(resource, document)
    metadata = config["metadata"]
    metadata.setdefault("name", info.name)
    if metadata["name"] != info.name:
        raise admission.misplaced("name", metadata["name"], info.name)
    if resource.namespaced and metadata.setdefault("namespace", info.namespace) != info.namespace:
        raise admission.misplaced("namespace", metadata["namespace"], info.namespace)
    if info.subresource == "status":
        config = {key: config[key] for key in ("kind", "apiVersion", "metadata", "status") if key in config}
    elif STATUS in resource.subresources:
        config.pop("status", None)
    return views.from_view(resource, config)


def _check_type(call: Call, document: Object) -> None:
    """Refuse what the schema does not have: structured-merge-diff knows no other way with it."""
    resource, info, kind = call.resource, call.info, document.get("kind", "")
    known = resource.kind == kind
    found = applyerrors.problems(struct_of(resource.api_version, kind), document) if known else []
    of = f"{resource.group}/{resource.version}, Kind={kind}"
    if not known:
        found = [f"no corresponding type for {of}"]
    if found:
        why = applyerrors.message(f"{info.namespace}/{info.name}; {of}", found)
        raise StatusError(500, "", why, {})


def _invalid_options(error: FieldError) -> StatusError:
    return StatusError(
        422,
        "Invalid",
        f'PatchOptions.meta.k8s.io "" is invalid: {error}',
        {"group": "meta.k8s.io", "kind": "PatchOptions", "causes": [error.cause()]},
    )


def check_not_forced(call: Call) -> None:
    """Refuse `force` on any other patch, as Kubernetes does."""
    if "force" in call.query:
        raise _invalid_options(forbidden("force", "may not be specified for non-apply patch"))
