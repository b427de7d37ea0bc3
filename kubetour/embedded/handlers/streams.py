"""Streams into a Pod: exec, attach and port-forward. A WebSocket here, one to the Pod's kubelet, joined."""

from __future__ import annotations

import asyncio
from typing import TypeAlias
from urllib.parse import quote

import aiohttp
from aiohttp import web

from kubetour.embedded import apierrors, channels, kubelet_portforward
from kubetour.embedded.handlers.context import Call
from kubetour.embedded.handlers.pods import choose_container, kubelet_socket

_VERBS = {"exec": "exec", "attach": "attach", "portforward": "portForward"}
_Socket: TypeAlias = "web.WebSocketResponse | aiohttp.ClientWebSocketResponse[bool]"
_LARGEST = 16 * 1024 * 1024  # bytes in one message
_OLD = (
    "the embedded cluster streams over WebSockets only, which kubectl does since 1.30, and 1.31 for "
    "port-forward; set KUBECTL_REMOTE_COMMAND_WEBSOCKETS=true with 1.29 for exec and attach, "
    "KUBECTL_PORT_FORWARD_WEBSOCKETS=true with 1.30 for port-forward"
)


async def stream(call: Call) -> web.StreamResponse:
    """Answer exec, attach and portforward of a Pod."""
    sub = call.info.subresource
    pod = call.registry.get("pods", call.info.name, call.info.namespace)
    names = [call.info.namespace, call.info.name]
    if sub != "portforward":
        names.append(choose_container(pod, call.query.get("container", "")))
    if sub == "exec" and not call.request.query.getall("command", []):
        raise apierrors.bad_request("you must specify at least one command for the container")
    node = (pod.get("spec") or {}).get("nodeName", "")
    if not node:
        raise apierrors.bad_request(f"pod {call.info.name} does not have a host assigned")
    if "Upgrade" not in call.request.headers:  # the API server knows that before any kubelet is asked
        raise apierrors.bad_request("Upgrade request required")
    url = f"http://kubelet/{_VERBS[sub]}/" + "/".join(quote(name, safe="") for name in names)
    connector = aiohttp.UnixConnector(kubelet_socket(call, node))
    try:
        async with aiohttp.ClientSession(connector=connector) as session:
            query = call.request.query
            async with session.get(url, params=query) as answer:  # a handshake that fails tells no reason
                if answer.status >= 400:  # which kubectl then says in its own words
                    return web.Response(status=500, text=await answer.text())
            protocol = _protocol(call, sub)
            async with session.ws_connect(
                url, params=query, protocols=(protocol,), max_msg_size=_LARGEST, autoping=True
            ) as kubelet:
                return await _join(call.request, protocol, kubelet)
    except aiohttp.ClientConnectionError as error:
        raise apierrors.internal_error(f"the kubelet of node {node} does not answer: {error}") from error


def _protocol(call: Call, sub: str) -> str:
    """Return what both sides speak; 400 for a client that speaks nothing we know."""
    headers = call.request.headers
    known = kubelet_portforward.PROTOCOLS if sub == "portforward" else channels.PROTOCOLS
    offered = [name.strip() for name in headers.get("Sec-WebSocket-Protocol", "").split(",")]
    if headers.get("Upgrade", "").lower() != "websocket":
        raise apierrors.bad_request(_OLD)
    if sub == "portforward" and offered == [""]:  # then it is channels, as kr8s knows
        return kubelet_portforward.CHANNELS
    for name in offered:
        if name in known:
            return name
    raise apierrors.bad_request(f"the subprotocols {offered} are unknown here; known are {', '.join(known)}")


async def _join(request: web.BaseRequest, protocol: str, kubelet: _Socket) -> web.StreamResponse:
    caller = web.WebSocketResponse(protocols=(protocol,), compress=False, max_msg_size=_LARGEST)
    await caller.prepare(request)
    ways = [
        asyncio.ensure_future(_carry(caller, kubelet)),
        asyncio.ensure_future(_carry(kubelet, caller)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        await kubelet.close()
        await caller.close()
    return caller


async def _carry(source: _Socket, to: _Socket) -> None:
    async for sent in source:
        if sent.type is aiohttp.WSMsgType.BINARY:
            await to.send_bytes(sent.data)
        elif sent.type is aiohttp.WSMsgType.TEXT:
            await to.send_str(sent.data)
