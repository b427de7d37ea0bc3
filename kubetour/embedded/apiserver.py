"""The API server: HTTPS on loopback before the registry. It authenticates, routes, and answers errors."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from kubetour.embedded import apierrors
from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.certs import SERVICE_NAMES, Certificates
from kubetour.embedded.clusterconfig import EVENT_TTL
from kubetour.embedded.compaction import keep_compact
from kubetour.embedded.documents import LARGEST
from kubetour.embedded.handlers import (
    delete,
    pods,
    proxying,
    read,
    reviews,
    scale,
    streams,
    tokens,
    watch,
    write,
)
from kubetour.embedded.handlers.context import Call, status_response
from kubetour.embedded.handlers.meta import ANONYMOUS, DEFINITIONS, MetaHandler
from kubetour.embedded.handlers.shaping import shaped
from kubetour.embedded.limits import STANDARD, BoundedServer, Limits, request_factory
from kubetour.embedded.registry import Registry
from kubetour.embedded.requestinfo import RequestInfo, flag, parse
from kubetour.embedded.resources import PROXY
from kubetour.embedded.serviceaccount_tokens import Tokens
from kubetour.embedded.watcher import Watcher

Handler = Callable[[Call], Awaitable[web.StreamResponse]]
_log = logging.getLogger(__name__)
# aiohttp tells of each request that is none, with a traceback; what matters, _handle tells.
_quiet = logging.getLogger(f"{__name__}.http")
_quiet.setLevel(logging.CRITICAL)
_CLOSING = (401, 403, 408)  # whoever has no business here, or comes no further, keeps no connection
_LOOPBACK = ("127.0.0.1", "::1", "localhost")

_VERBS: Mapping[str, Handler] = {
    "create": write.create,
    "delete": delete.delete,
    "deletecollection": delete.delete_collection,
    "get": read.get,
    "list": read.list_,
    "patch": write.patch,
    "update": write.update,
    "watch": watch.watch,
}
_SUBRESOURCES: Mapping[tuple[str, str], Handler] = {
    ("status", "get"): read.get,
    ("status", "patch"): write.patch,
    ("status", "update"): write.update,
    ("scale", "get"): scale.get,
    ("scale", "patch"): scale.patch,
    ("scale", "update"): scale.update,
    ("finalize", "update"): write.update,
    ("binding", "create"): pods.bind,
    ("eviction", "create"): pods.evict,
    ("log", "get"): pods.log,
    ("token", "create"): tokens.create,
}
# What is posted and acted on, and not stored.
_CREATED_ONLY: Mapping[str, Handler] = {
    "bindings": pods.bind,
    "selfsubjectaccessreviews": reviews.review,
    "selfsubjectreviews": reviews.review,
    "selfsubjectrulesreviews": reviews.review,
    "tokenreviews": reviews.review,
}
# Of a namespaced resource, all namespaces together can be listed and watched, and nothing else.
_IN_ONE_NAMESPACE = ("create", "deletecollection")
_STREAMS = ("attach", "exec", "portforward")


class APIServer:
    """Serves a registry over HTTPS to whoever has the token."""

    def __init__(
        self,
        registry: Registry,
        *,
        token: str,
        certs: Certificates,
        limits: Limits = STANDARD,
        event_ttl: float = EVENT_TTL,
    ) -> None:
        self._registry = registry
        self._tokens = Tokens(registry, token)
        self._certs = certs
        self._limits = limits
        self._event_ttl = event_ttl
        self._hosts = {*_LOOPBACK, *SERVICE_NAMES}
        self._runner: web.ServerRunner | None = None
        self._listening: asyncio.Server | None = None
        self._meta = MetaHandler()
        self._compactor: asyncio.Task[None] | None = None
        self._watches: set[Watcher] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen, and return the port (a free one for 0). ValueError for an address that is not loopback."""
        if host not in _LOOPBACK and not host.startswith("127."):
            raise ValueError(f"the API server listens on loopback only, and {host} is not; use 127.0.0.1")
        self._hosts.add(host)
        server = BoundedServer(
            self._handle,
            self._limits,
            request_factory=request_factory(self._limits),
            handler_cancellation=True,
            access_log=None,
            logger=_quiet,
            keepalive_timeout=self._limits.idle,
            lingering_time=self._limits.lingering,
        )
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=1)
        await self._runner.setup()
        self._listening = await asyncio.get_running_loop().create_server(
            server,
            host,
            port,
            ssl=self._certs.server_context(),
            ssl_handshake_timeout=self._limits.handshake,
            backlog=128,
        )
        bound = int(self._listening.sockets[0].getsockname()[1])
        self._meta.address = f"{host}:{bound}"
        self._compactor = asyncio.create_task(
            keep_compact(self._registry, self._event_ttl), name="compaction"
        )
        return bound

    async def stop(self) -> None:
        """End every watch and close the port."""
        if self._compactor is not None:
            self._compactor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._compactor
            self._compactor = None
        for watcher in tuple(self._watches):
            watcher.close()
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return shaped(request, await self._respond(request))
        except StatusError as error:
            response = shaped(request, status_response(error))
            if error.code in _CLOSING:
                response.force_close()
            return response
        except web.HTTPRequestEntityTooLarge:
            message = f"Request entity too large: limit is {LARGEST}"
            return status_response(StatusError(413, "RequestEntityTooLarge", message))
        except RecursionError:
            return status_response(apierrors.bad_request("exceeded max depth"))
        except ConnectionError:
            raise
        except Exception as error:
            _log.exception("%s %s failed", request.method, request.path)
            return status_response(apierrors.internal_error(f"{type(error).__name__}: {error}"))

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        self._check_origin(request)
        path = request.path
        user = self._user(request)
        if user is None and path not in ANONYMOUS:
            raise StatusError(401, "Unauthorized", "Unauthorized")
        if name := request.headers.get("Impersonate-User"):
            why = "in an embedded cluster nobody can be somebody else"
            raise StatusError(403, "Forbidden", f'users "{name}" is forbidden: {why}')
        info = parse(path) if path != DEFINITIONS else None
        if info is None:
            return self._meta.answer(request)
        handler = self._route(info, request)
        if handler is watch.watch and len(self._watches) >= self._limits.watches:
            why = f"there are {len(self._watches)} watches already, as many as may be; end some"
            raise StatusError(429, "TooManyRequests", why, {"retryAfterSeconds": 1})
        return await handler(Call(request, info, self._registry, self._tokens, user or {}, self._watches))

    def _check_origin(self, request: web.BaseRequest) -> None:
        """Refuse what a browser was led to: another name that resolves here, or a page's own request."""
        host = (request.host or "").rpartition(":")[0] if ":" in (request.host or "") else request.host
        if host.strip("[]").lower() not in self._hosts:
            message = f"the Host header names {host!r}, which is not this API server"
            raise StatusError(403, "Forbidden", message)
        if request.headers.get("Origin", own := f"https://{request.host}") != own:  # some clients name it
            raise StatusError(403, "Forbidden", "requests from a browser's pages are refused")

    def _user(self, request: web.BaseRequest) -> Object | None:
        """Return who asks, or None for nobody who is known."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        return self._tokens.known(token.strip())

    def _route(self, info: RequestInfo, request: web.BaseRequest) -> Handler:
        verb = _verb(request, info)
        sub = info.subresource
        if sub in _STREAMS:
            return streams.stream
        if sub == PROXY:
            return proxying.proxy
        if sub:
            handler = _SUBRESOURCES.get((sub, verb))
        elif info.resource.plural in _CREATED_ONLY:
            handler = _CREATED_ONLY[info.resource.plural] if verb == "create" else None
        elif verb in _IN_ONE_NAMESPACE and info.resource.namespaced and not info.namespace:
            handler = None
        else:
            handler = _VERBS.get(verb) if verb in info.resource.verbs else None
        if handler is None:
            raise apierrors.method_not_allowed()
        return handler


def _verb(request: web.BaseRequest, info: RequestInfo) -> str:
    """Return the API verb of a request, as RequestInfo has it."""
    method, named = request.method, bool(info.name)
    if method == "GET":
        if not named and flag(request.query, "watch"):
            return "watch"
        return "get" if named else "list"
    if method == "DELETE":
        return "delete" if named else "deletecollection"
    if method == "POST":
        return "create" if not named or info.subresource else ""
    return {"PUT": "update", "PATCH": "patch"}.get(method, "") if named else ""
