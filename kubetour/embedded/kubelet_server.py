"""The kubelet's own server, on a Unix socket: logs and streams of its containers, for the API server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import unquote

from aiohttp import web

from kubetour.embedded import channels, kubelet_exec, kubelet_portforward
from kubetour.embedded.container import RUNNING, Container
from kubetour.embedded.containerlog import LogOptions
from kubetour.embedded.kubelet_state import PodState
from kubetour.embedded.podutil import parse_time
from kubetour.embedded.requestinfo import flag
from kubetour.embedded.runtime import Runtime

Find = Callable[[str, str], PodState | None]

_NAMES = {"containerLogs": 3, "exec": 3, "attach": 3, "portForward": 2}  # parts of the path after the verb


class KubeletServer:
    """Serves GET /containerLogs/{namespace}/{pod}/{container}, with the query of v1.PodLogOptions; and, as
    WebSockets, /exec and /attach with the same path, and /portForward/{namespace}/{pod}.
    """

    def __init__(self, find: Find, runtime: Runtime) -> None:
        self._find, self._runtime = find, runtime
        self._runner: web.ServerRunner | None = None
        self._open: set[web.WebSocketResponse] = set()

    async def start(self, socket: Path) -> None:
        """Listen; whoever may enter the socket's directory may ask."""
        socket.unlink(missing_ok=True)
        self._socket = socket
        self._runner = web.ServerRunner(
            web.Server(self._handle, handler_cancellation=True, access_log=None),
            handle_signals=False,
            shutdown_timeout=1,
        )
        await self._runner.setup()
        await web.UnixSite(self._runner, str(socket)).start()

    async def stop(self) -> None:
        """Close the socket, and remove it."""
        for ws in tuple(self._open):
            await ws.close(code=1001)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
            self._socket.unlink(missing_ok=True)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        verb, *names = [unquote(part) for part in request.raw_path.partition("?")[0].split("/")[1:]]
        if request.method != "GET" or len(names) != _NAMES.get(verb):
            return web.Response(status=404, text="404 page not found")
        namespace, pod, name = (*names, "")[:3]
        if verb != "containerLogs":
            return await self._stream(request, verb, namespace, pod, name)
        try:
            options = log_options(dict(request.query), datetime.now(timezone.utc))
        except ValueError as error:
            return web.Response(status=400, text=str(error))
        previous = flag(request.query, "previous")
        return await self._logs(request, namespace, pod, name, options, previous=previous)

    async def _stream(
        self, request: web.BaseRequest, verb: str, namespace: str, pod: str, name: str
    ) -> web.StreamResponse:
        state = self._find(namespace, pod)
        slot = state.slot(name) if state and name else None
        running = slot.current if slot and slot.current and slot.current.state == RUNNING else None
        if state is None or (name and running is None):
            return web.Response(status=404, text=_not_found(verb, namespace, pod, name))
        if "Upgrade" not in request.headers:
            return web.Response(status=204)  # it could be done
        protocols = kubelet_portforward.PROTOCOLS if verb == "portForward" else channels.PROTOCOLS
        ws = web.WebSocketResponse(protocols=protocols, compress=False)
        await ws.prepare(request)
        self._open.add(ws)
        try:
            await self._serve(ws, verb, request, state, running)
        finally:
            self._open.discard(ws)
            await ws.close()
        return ws

    async def _serve(
        self,
        ws: web.WebSocketResponse,
        verb: str,
        request: web.BaseRequest,
        state: PodState,
        running: Container | None,
    ) -> None:
        query = request.query
        if running is None:
            ports = [int(port) for each in query.getall("ports", []) for port in each.split(",")]
            await kubelet_portforward.forward(ws, state.full_name, ports, state.listens)
            return
        wanted = {name: flag(query, name) for name in ("stdin", "tty")}
        streams = self._runtime.io(running)
        if verb == "exec":
            await kubelet_exec.execute(ws, self._runtime, running, query.getall("command", []), **wanted)
        elif streams:
            await kubelet_exec.attach(ws, streams, stdin=wanted["stdin"])

    async def _logs(
        self,
        request: web.BaseRequest,
        namespace: str,
        pod: str,
        name: str,
        options: LogOptions,
        *,
        previous: bool,
    ) -> web.StreamResponse:
        state = self._find(namespace, pod)
        slot = state.slot(name) if state else None
        if slot is None:
            return web.Response(status=404, text=f'pod "{pod}" not found on this node')
        container = slot.previous if previous else slot.current
        if previous and container is None and slot.has_ended:
            container = slot.current  # it waits to be started again
        if container is None or not Path(container.log).exists():
            why = (
                f'previous terminated container "{name}" in pod "{pod}" not found'
                if previous
                else f'container "{name}" in pod "{pod}" is waiting to start: '
                f"{_WAITING.get(slot.waiting[0], slot.waiting[0])}"
            )
            return web.Response(status=400, text=why)
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        async for chunk in self._runtime.logs(container, options):
            await response.write(chunk)
        await response.write_eof()
        return response


# In other words than its reason, as k8s.io/kubernetes/pkg/kubelet.validateContainerLogStatus has it.
_WAITING = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


def _not_found(verb: str, namespace: str, pod: str, name: str) -> str:
    """Return what a kubelet says to a stream into what does not run."""
    if verb == "attach":
        return f"container {name} not found in pod {pod}_{namespace}"
    return f'container not found ("{name}")' if name else f'pod not found ("{pod}_{namespace}")'


def log_options(query: dict[str, str], now: datetime) -> LogOptions:
    """Return what a query asks for; ValueError for a value that is none."""
    since = ""
    if query.get("sinceSeconds"):
        since = (now - timedelta(seconds=int(query["sinceSeconds"]))).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    elif query.get("sinceTime"):
        since = parse_time(query["sinceTime"]).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    tail, limit = query.get("tailLines"), query.get("limitBytes")
    return LogOptions(
        follow=flag(query, "follow"),
        tail_lines=int(tail) if tail and int(tail) >= 0 else None,
        since=since,
        timestamps=flag(query, "timestamps"),
        limit_bytes=int(limit) if limit else None,
    )
