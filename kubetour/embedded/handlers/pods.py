"""What only Pods have: binding, eviction, logs, and the streams into a running container."""

from __future__ import annotations

from urllib.parse import quote

import aiohttp
from aiohttp import web

from kubetour.embedded import apierrors
from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.clock import rfc3339
from kubetour.embedded.deletion import DeleteOptions
from kubetour.embedded.eviction import check_budget, target_condition
from kubetour.embedded.fielderrors import NOT_NEGATIVE, forbidden, invalid
from kubetour.embedded.handlers.context import Call
from kubetour.embedded.handlers.delete import success
from kubetour.embedded.registry import to_json
from kubetour.embedded.resources import Resource

KUBELET_SOCKET = "embedded.kubetour.dev/kubelet-socket"
_LOG_OPTIONS = (
    "follow",
    "tailLines",
    "sinceSeconds",
    "sinceTime",
    "previous",
    "timestamps",
    "limitBytes",
)
_CHUNK = 65536
_LOG_KIND = Resource("", "v1", "PodLogOptions", "", "")
_LOG_NUMBERS = (
    ("tailLines", 0, NOT_NEGATIVE),
    ("limitBytes", 1, "must be greater than 0"),
    ("sinceSeconds", 1, "must be greater than 0"),
)


async def bind(call: Call) -> web.StreamResponse:
    """Answer POST of a Binding, to pods/NAME/binding or to bindings."""
    body = await call.options("Binding")
    name = call.info.name or (body.get("metadata") or {}).get("name", "")
    node = (body.get("target") or {}).get("name", "")
    if not name or not node:
        raise apierrors.bad_request("a Binding needs metadata.name, the Pod, and target.name, the node")
    if not call.dry_run:
        call.registry.bind(call.info.namespace, name, node)
    return call.text(to_json({**success({}), "code": 201}), 201)


async def evict(call: Call) -> web.StreamResponse:
    """Answer POST of an Eviction: a delete, if the Pod's disruption budget allows it."""
    body = await call.options("Eviction", "policy/v1")
    named = (body.get("metadata") or {}).get("name", call.info.name)
    if named != call.info.name:
        raise apierrors.bad_request("name in URL does not match name in Eviction object")
    options = body.get("deleteOptions") or {}
    dry_run = call.dry_run or "All" in (options.get("dryRun") or ())
    registry, namespace = call.registry, call.info.namespace
    pod = registry.get("pods", named, namespace)
    check_budget(registry, pod, dry_run=dry_run)
    preconditions = options.get("preconditions") or {}
    chosen = DeleteOptions(options.get("gracePeriodSeconds"), "", preconditions.get("uid") or "")
    if not dry_run and "deletionTimestamp" not in pod["metadata"]:
        _note_target(call, pod)
    registry.delete_with(call.stored, named, namespace, chosen, dry_run=dry_run)
    return call.text(to_json({**success({}), "code": 201}), 201)


def _note_target(call: Call, pod: Object) -> None:
    status = pod.get("status") or {}
    mine = target_condition(rfc3339(call.registry.clock.now()))
    kept = [item for item in status.get("conditions") or [] if item["type"] != mine["type"]]
    updated = {**pod, "status": {**status, "conditions": [*kept, mine]}}
    call.registry.update("pods", updated, subresource="status")


def _check_log_options(call: Call) -> None:
    """Refuse what PodLogOptions do not allow."""
    errors = [
        invalid(name, number, text)
        for name, least, text in _LOG_NUMBERS
        if (number := call.number(name)) is not None and number < least
    ]
    if "sinceSeconds" in call.query and "sinceTime" in call.query:
        errors.append(forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified"))
    if errors:
        raise apierrors.invalid(_LOG_KIND, call.info.name, errors)


async def log(call: Call) -> web.StreamResponse:
    """Answer GET of a Pod's log: what the kubelet of its node sends."""
    _check_log_options(call)
    pod = call.registry.get("pods", call.info.name, call.info.namespace)
    container = choose_container(pod, call.query.get("container", ""))
    node = (pod.get("spec") or {}).get("nodeName", "")
    if not node:
        return web.Response(body=b"", content_type="text/plain")
    socket = kubelet_socket(call, node)
    parameters = {name: call.query[name] for name in _LOG_OPTIONS if name in call.query}
    path = "/".join(quote(part, safe="") for part in (call.info.namespace, call.info.name, container))
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
    connector = aiohttp.UnixConnector(socket)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.get(f"http://kubelet/containerLogs/{path}", params=parameters) as answer,
        ):
            if answer.status >= 400:
                raise _kubelet_error(answer.status, (await answer.text()).strip())
            response = web.StreamResponse(headers={"Content-Type": "text/plain"})
            await response.prepare(call.request)
            async for chunk in answer.content.iter_chunked(_CHUNK):
                await response.write(chunk)
            await response.write_eof()
            return response
    except aiohttp.ClientConnectionError as error:
        raise apierrors.internal_error(f"the kubelet of node {node} does not answer: {error}") from error


def _kubelet_error(code: int, text: str) -> StatusError:
    if code == 404:
        return StatusError(404, "NotFound", text, {})
    return apierrors.bad_request(text) if code == 400 else apierrors.internal_error(text)


def kubelet_socket(call: Call, node: str) -> str:
    """Return the path of the socket on which a node's kubelet listens."""
    annotations = call.registry.get("nodes", node)["metadata"].get("annotations") or {}
    if KUBELET_SOCKET not in annotations:
        raise apierrors.internal_error(f"node {node} names no kubelet socket: it is not running")
    return str(annotations[KUBELET_SOCKET])


def choose_container(pod: Object, asked: str) -> str:
    """Return the container a request is about; 400 where that is not clear or there is none of that name."""
    name, spec = pod["metadata"]["name"], pod["spec"]
    containers = [container["name"] for container in spec.get("containers") or []]
    init = [container["name"] for container in spec.get("initContainers") or []]
    if not asked:
        if len(containers) == 1:
            return str(containers[0])
        listed = f"[{' '.join(containers)}]" + (
            f" or one of the init containers: [{' '.join(init)}]" if init else ""
        )
        raise apierrors.bad_request(
            f"a container name must be specified for pod {name}, choose one of: {listed}"
        )
    if asked not in (*containers, *init):
        raise apierrors.bad_request(f"container {asked} is not valid for pod {name}")
    return asked
