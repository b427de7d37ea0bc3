"""The subresource `proxy` of Pods and Services: HTTP through the API server, as `kubectl proxy` leads to it.

.../pods/NAME[:PORT]/proxy/PATH and .../services/[SCHEME:]NAME[:PORT]/proxy/PATH. Links in pages stay.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from yarl import URL

from kubetour.embedded import apierrors
from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.handlers.context import Call
from kubetour.embedded.proxy_rules import Backend, backends, listens, service_ports

_SCHEMES = ("http", "https")
# What is between this client and this server only (RFC 9110), or is for the API server.
_OURS = {"authorization", "connection", "host", "keep-alive", "te", "trailer"}
_OURS |= {"proxy-authenticate", "proxy-authorization", "transfer-encoding", "upgrade"}
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_CHUNK = 65536
_SEGMENTS = 8  # of /api/v1/namespaces/NAMESPACE/RESOURCE/NAME/proxy, with what is before the first slash


@dataclass(frozen=True)
class Target:
    """What the name in the URL means."""

    scheme: str
    name: str
    port: str


def target(resource: str, text: str) -> Target:
    """Read [SCHEME:]NAME[:PORT]; 400 for anything else."""
    parts = text.split(":")
    if len(parts) == 3 and parts[0] in ("", *_SCHEMES):
        return Target(parts[0] or "http", parts[1], parts[2])
    if len(parts) > 2 or not parts[0]:
        raise apierrors.bad_request(f'invalid {resource.removesuffix("s")} request "{text}"')
    return Target("http", parts[0], parts[1] if len(parts) == 2 else "")


async def proxy(call: Call) -> web.StreamResponse:
    """Send the request on, and its answer back."""
    request, named = call.request, target(call.resource.plural, call.info.name)
    if request.method not in _METHODS:
        raise apierrors.method_not_allowed()
    find = _pod if call.resource.plural == "pods" else _service
    backend = find(call, named)
    _, *below = request.rel_url.raw_path.split("/", _SEGMENTS)[_SEGMENTS - 1 :]  # a name may be "proxy", too
    path = "".join(f"/{each}" for each in below)
    if not path and request.method in ("GET", "HEAD"):
        where = f"{request.rel_url.raw_path}/" + (f"?{request.query_string}" if request.query_string else "")
        return web.Response(status=301, headers={"Location": where})
    query = f"?{request.rel_url.raw_query_string}" if request.rel_url.raw_query_string else ""
    url = URL(f"{named.scheme}://{backend.host}:{backend.port}{path or '/'}{query}", encoded=True)
    return await _forward(request, url)


def _pod(call: Call, named: Target) -> Backend:
    pod = call.registry.get("pods", named.name, call.info.namespace)
    declared = (
        str(port["containerPort"]) for item in pod["spec"]["containers"] for port in item.get("ports") or ()
    )
    port = named.port or next(declared, "443" if named.scheme == "https" else "80")
    address = (pod.get("status") or {}).get("podIP")
    if not address:
        raise apierrors.bad_request(f"address not allowed: pod {named.name} has no address yet")
    host, _, number = listens(pod).get(port, f"{address}:{port}").rpartition(":")
    if not number.isdigit():
        raise apierrors.bad_request(f'invalid pod request "{call.info.name}"')
    return Backend(host, int(number))


def _service(call: Call, named: Target) -> Backend:
    registry, namespace = call.registry, call.info.namespace
    service = registry.get("services", named.name, namespace)
    ports = service_ports(service) or service_ports(_with_address(service))
    chosen = [port for port in ports if named.port in (port.name, str(port.port))]
    if not named.port and len(ports) == 1:
        chosen = ports
    label = f"kubernetes.io/service-name={named.name}"
    slices = registry.list("endpointslices", namespace, labels=label).items
    found = [each for port in chosen[:1] for each in backends(port, slices, lambda *key: _find(call, *key))]
    if not found:
        raise _unavailable(f'no endpoints available for service "{call.info.name}"')
    return random.choice(found)  # noqa: S311 -- spreads load


def _with_address(service: Object) -> Object:
    """A headless Service has endpoints as well, though nothing listens for it."""
    return {**service, "spec": {**service["spec"], "clusterIP": "-"}}


def _find(call: Call, namespace: str, name: str) -> Object | None:
    try:
        return call.registry.get("pods", name, namespace)
    except StatusError:
        return None


async def _forward(request: web.BaseRequest, url: URL) -> web.StreamResponse:
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _OURS}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session,
            session.request(
                request.method,
                url,
                headers=headers,
                data=request.content if request.can_read_body else None,
                allow_redirects=False,
                ssl=False,
            ) as answer,
        ):
            kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _OURS]
            response = web.StreamResponse(status=answer.status)
            response.headers.extend(kept)
            await response.prepare(request)
            async for chunk in answer.content.iter_chunked(_CHUNK):
                await response.write(chunk)
            await response.write_eof()
            return response
    except aiohttp.ClientConnectorError as error:
        why = f"dial tcp {url.host}:{url.port}: connect: {os.strerror(error.errno or 0).lower()}"
        raise _unavailable(f"error trying to reach service: {why}") from error
    except aiohttp.ClientConnectionError as error:
        raise _unavailable(f"error trying to reach service: {error}") from error


def _unavailable(message: str) -> StatusError:
    return StatusError(503, "ServiceUnavailable", message)
