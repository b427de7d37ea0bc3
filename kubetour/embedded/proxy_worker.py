"""The process that carries a cluster's connections, so that no work of the cluster's own holds them up.

    python -S -m kubetour.embedded.proxy_worker DESCRIPTOR

On that socket come commands, a JSON list a line, in the order in which they hold (proxy_forwarder.py sends
them). When it ends, so does every connection. It loads next to nothing, and starts in some 20 ms.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING

from kubetour.embedded.proxy_balancer import Balancer
from kubetour.embedded.proxy_poller import IN, Poller
from kubetour.embedded.proxy_splice import Connection

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_LONGEST = 1 << 16  # bytes of commands at once
_DESCRIPTORS = 64  # with one message; a command comes with one at most
_REST = 1.0  # seconds without accepting, when there are too many open files


class Listener:
    """A listening socket, and the balancer it leads to at the moment."""

    def __init__(self, worker: Worker, sock: socket.socket, node: str) -> None:
        self.sock, self.node = sock, node
        self.leads_to = 0
        self._worker = worker
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what it accepts has it from here

    def ready(self, _: int) -> None:
        """Accept one connection; when there are more, this is called again."""
        worker = self._worker
        try:
            client, address = self.sock.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:  # too many are open, or it was shut down, which a command will tell, too
            worker.rest(self)
            return
        client.setblocking(False)
        balancer = worker.balancers.get(self.leads_to)
        backends = balancer.choose(address[0], self.node) if balancer else iter(())
        Connection(worker.poller, client, backends, worker.living)


class Worker:
    """Listeners, balancers and connections, as commands have it. Each public method below is a command."""

    def __init__(self, control: socket.socket) -> None:
        self.poller = Poller()
        self.balancers: dict[int, Balancer] = {}
        self.living: set[Connection] = set()
        self._control = control
        self._listeners: dict[int, Listener] = {}
        self._resting: list[Listener] = []
        self._said = b""
        self._descriptors: list[int] = []
        self._ended = False
        self._commands: dict[str, Callable[..., None]] = {
            "route": self.route,
            "backends": self.backends,
            "forget": self.forget,
            "listen": self.listen,
            "lead": self.lead,
            "close": self.close,
            "echo": self.echo,
        }

    def run(self) -> None:
        """Work until the other end of the control socket is closed."""
        self.poller.watch(self._control, IN, self._told)
        while not self._ended:
            if not self._resting:
                self.poller.turn()
                continue
            self.poller.turn(_REST)
            for listener in self._resting:
                if listener.sock.fileno() != -1:
                    self.poller.watch(listener.sock, IN, listener.ready)
            self._resting.clear()
        for connection in tuple(self.living):
            connection.reset()
        for number in tuple(self._listeners):
            self.close(number)

    def rest(self, listener: Listener) -> None:
        """Do not accept for a while."""
        self.poller.forget(listener.sock)
        self._resting.append(listener)

    def _told(self, _: int) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, _LONGEST, _DESCRIPTORS)
        except ConnectionError:
            data, descriptors = b"", []
        self._ended = not data
        self._descriptors += descriptors
        *lines, self._said = (self._said + data).split(b"\n")
        for line in lines:
            if self._ended:
                return
            name, *arguments = json.loads(line)
            self._commands[name](*arguments)

    # --- commands

    def route(self, number: int, affinity_seconds: float, local_only: bool) -> None:
        """There is a new balancer."""
        self.balancers[number] = Balancer(affinity_seconds, local_only, time.monotonic)

    def backends(self, number: int, found: list[list[Any]]) -> None:
        """A balancer's backends are these now."""
        self.balancers[number].backends = [(host, port, node) for host, port, node in found]

    def forget(self, number: int) -> None:
        """A balancer is no more."""
        del self.balancers[number]

    def listen(self, number: int, node: str) -> None:
        """There is a new listener; its socket came along."""
        if not self._descriptors:  # too many are open, so the kernel dropped it: another process has room
            self._ended = True
            return
        sock = socket.socket(fileno=self._descriptors.pop(0))
        listener = self._listeners[number] = Listener(self, sock, node)
        self.poller.watch(sock, IN, listener.ready)

    def lead(self, number: int, route: int) -> None:
        """A listener leads to that balancer now; to 0: its connections are reset."""
        self._listeners[number].leads_to = route

    def close(self, number: int) -> None:
        """A listener is no more."""
        listener = self._listeners.pop(number)
        self.poller.forget(listener.sock)
        listener.sock.close()

    def echo(self, number: int) -> None:
        """Tell that all commands before have been done, and how many connections live."""
        self._control.send(b"%d %d\n" % (number, len(self.living)))


def main() -> None:
    """Run until the cluster ends; what signals it gets, its worker need not care."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as control:
        Worker(control).run()


if __name__ == "__main__":
    main()
