"""The kubelet's own server, on a Unix socket: the logs of its containers, for the API server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from aiohttp import web

from kubetour.embedded.containerlog import LogOptions
from kubetour.embedded.kubelet_state import PodState
from kubetour.embedded.podutil import parse_time
from kubetour.embedded.runtime import Runtime

Find = Callable[[str, str], PodState | None]


class KubeletServer:
    """Serves GET /containerLogs/{namespace}/{pod}/{container}, with the query of v1.PodLogOptions."""

    def __init__(self, find: Find, runtime: Runtime) -> None:
        self._find, self._runtime = find, runtime
        self._runner: web.ServerRunner | None = None

    async def start(self, socket: Path) -> None:
        """Listen; whoever may enter the socket's directory may ask."""
        socket.unlink(missing_ok=True)
        self._runner = web.ServerRunner(
            web.Server(self._handle, handler_cancellation=True),
            handle_signals=False,
            shutdown_timeout=1,
            access_log=None,
        )
        await self._runner.setup()
        await web.UnixSite(self._runner, str(socket)).start()
        self._socket = socket

    async def stop(self) -> None:
        """Close the socket, and remove it."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
            self._socket.unlink(missing_ok=True)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        parts = request.path.split("/")
        if request.method != "GET" or len(parts) != 5 or parts[1] != "containerLogs":
            return web.Response(status=404, text="404 page not found")
        try:
            options = log_options(dict(request.query), datetime.now(timezone.utc))
        except ValueError as error:
            return web.Response(status=400, text=str(error))
        _, _, namespace, pod, name = parts
        return await self._logs(
            request, namespace, pod, name, options, previous=request.query.get("previous") == "true"
        )

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
                else f'container "{name}" in pod "{pod}" is waiting to start: {slot.waiting[0]}'
            )
            return web.Response(status=400, text=why)
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        async for chunk in self._runtime.logs(container, options):
            await response.write(chunk)
        await response.write_eof()
        return response


def log_options(query: dict[str, str], now: datetime) -> LogOptions:
    """Return what a query asks for; ValueError for a value that is none."""
    since = ""
    if query.get("sinceSeconds"):
        since = (now - timedelta(seconds=int(query["sinceSeconds"]))).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    elif query.get("sinceTime"):
        since = parse_time(query["sinceTime"]).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    tail, limit = query.get("tailLines"), query.get("limitBytes")
    return LogOptions(
        follow=query.get("follow") == "true",
        tail_lines=int(tail) if tail and int(tail) >= 0 else None,
        since=since,
        timestamps=query.get("timestamps") == "true",
        limit_bytes=int(limit) if limit else None,
    )
