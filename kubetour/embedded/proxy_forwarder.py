"""The cluster's side of the process that carries connections: what it is told, and that it is there."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Sequence

from kubetour.embedded.clock import Clock
from kubetour.embedded.process import same_package
from kubetour.embedded.proxy_rules import Address, Backend, ServicePort

_BACKLOG = 1024
_MODULE = "kubetour.embedded.proxy_worker"
_BEFORE_AGAIN = 1.0  # seconds until a process that ended is replaced
_PATIENCE = 5.0  # seconds to end in
_log = logging.getLogger(__name__)


class Route:
    """One Service's port and where its connections go, as far as the process has been told."""

    def __init__(self, forwarder: Forwarder, port: ServicePort) -> None:
        self.port, self.number = port, next(forwarder.numbers)
        self._forwarder = forwarder
        self._backends: tuple[Backend, ...] = ()
        forwarder.routes[self.number] = self
        self._tell("route", port.affinity_seconds, port.local_only)

    def to(self, backends: tuple[Backend, ...]) -> None:
        """Lead new connections to these from now on."""
        if backends != self._backends:
            self._backends = backends
            self._tell("backends", [(one.host, one.port, one.node) for one in backends])

    def forget(self) -> None:
        """End it; no listener may lead to it any more."""
        del self._forwarder.routes[self.number]
        self._tell("forget")

    def announce(self) -> None:
        """Tell a new process of it."""
        self._tell("route", self.port.affinity_seconds, self.port.local_only)
        self._tell("backends", [(one.host, one.port, one.node) for one in self._backends])

    def _tell(self, name: str, *arguments: object) -> None:
        self._forwarder.tell([name, self.number, *arguments])


class Listener:
    """A socket that listens from when it is made (or OSError); its connections wait for a process."""

    def __init__(self, forwarder: Forwarder, address: Address) -> None:
        self.address, self.number = address, next(forwarder.numbers)
        self._forwarder, self._leads_to = forwarder, 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((address.host, address.port))
            self._socket.listen(_BACKLOG)
            self.announce()
        except OSError:
            self._socket.close()
            raise
        forwarder.listeners[self.number] = self

    def announce(self) -> None:
        """Tell a new process of it."""
        self._forwarder.tell(["listen", self.number, self.address.node], self._socket)
        if self._leads_to:
            self._forwarder.tell(["lead", self.number, self._leads_to])

    def lead(self, route: Route | None) -> None:
        """Lead new connections there, or reset them."""
        number = route.number if route else 0
        if number != self._leads_to:
            self._leads_to = number
            self._forwarder.tell(["lead", self.number, number])

    def close(self) -> None:
        """Stop listening; connections live on."""
        del self._forwarder.listeners[self.number]
        self._forwarder.tell(["close", self.number])
        with contextlib.suppress(OSError):  # on some systems
            # The process has the same socket: this refuses clients before it has heard of that.
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class Forwarder:
    """Has a process carry the connections of all listeners, and replaces it when it ends by itself."""

    def __init__(self, clock: Clock) -> None:
        self.numbers = itertools.count(1)
        self.routes: dict[int, Route] = {}
        self.listeners: dict[int, Listener] = {}
        self._clock = clock
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._unsent: deque[tuple[bytes, Sequence[int]]] = deque()
        self._echoes: dict[int, asyncio.Future[int]] = {}
        self._heard = b""

    @property
    def pid(self) -> int:
        """Return the process's ID, 0 while there is none."""
        return self._process.pid if self._process else 0

    async def run(self) -> None:
        """Keep a process until cancelled; then its connections have ended, too."""
        try:
            while True:
                why = await self._serve()
                _log.warning("no process carries connections: %s; another one is started", why)
                await self._clock.sleep(_BEFORE_AGAIN)
        finally:
            for echo in self._echoes.values():
                echo.cancel()

    def close(self) -> None:
        """Close all listeners."""
        for listener in tuple(self.listeners.values()):
            listener.close()

    def tell(self, command: list[object], sock: socket.socket | None = None) -> None:
        """Send a command, perhaps with a socket; without a process there is no need: a new one hears all."""
        if self._control is None:
            return
        descriptors = [os.dup(sock.fileno())] if sock else []
        self._unsent.append((json.dumps(command).encode() + b"\n", descriptors))
        if len(self._unsent) == 1:
            self._send()

    async def settled(self) -> int:
        """Return, when all that was told has been done, how many connections live."""
        number = next(self.numbers)
        echo: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._echoes[number] = echo
        self.tell(["echo", number])
        return await echo

    async def _serve(self) -> str:
        """Start a process and tell it everything; return why it is no more."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        self._control, theirs = socket.socketpair()
        self._control.setblocking(False)
        try:
            with theirs:
                self._process = subprocess.Popen(
                    (sys.executable, "-S", "-m", _MODULE, str(theirs.fileno())),
                    env={**os.environ, **same_package()},
                    stdin=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                )
            loop.add_reader(self._control, self._hear, ended)
            for route in self.routes.values():
                route.announce()
            for listener in self.listeners.values():
                listener.announce()
            for number in self._echoes:
                self.tell(["echo", number])
            await ended.wait()
            return "it ended by itself"
        except OSError as error:
            return str(error)
        finally:
            self._hang_up()
            if self._process:
                await asyncio.shield(loop.run_in_executor(None, _wait, self._process))
                self._process = None

    def _hang_up(self) -> None:
        control, self._control, self._heard = self._control, None, b""
        if control is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(control)
            loop.remove_writer(control)
            control.close()
        for _, descriptors in self._unsent:
            _close(descriptors)
        self._unsent.clear()

    def _send(self) -> None:
        """Send what there is to send, now or when there is room."""
        control, loop = self._control, asyncio.get_running_loop()
        if control is None:
            return
        while self._unsent:
            data, descriptors = self._unsent[0]
            try:
                sent = socket.send_fds(control, [data], descriptors)
            except BlockingIOError:
                loop.add_writer(control, self._send)
                return
            except OSError:
                # It has ended, or cannot be told (no buffers, too many descriptors at once): one that missed
                # a command is of no use. The reader sees the end, and a new one hears all.
                with contextlib.suppress(OSError):
                    control.shutdown(socket.SHUT_RDWR)
                return
            _close(descriptors)
            self._unsent[0] = (data[sent:], ())
            if sent == len(data):
                self._unsent.popleft()
        loop.remove_writer(control)

    def _hear(self, ended: asyncio.Event) -> None:
        control = self._control
        try:
            data = control.recv(65536) if control else b""
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            ended.set()
            if control:
                asyncio.get_running_loop().remove_reader(control)
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            number, living = map(int, line.split())
            echo = self._echoes.pop(number, None)
            if echo and not echo.done():
                echo.set_result(living)


def _wait(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process that has been told to end; it does not have for ever."""
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
