"""The cluster of a host, read from here: its kubeconfig, through a tunnel that opens with the first look."""

from __future__ import annotations

import threading
from urllib.parse import quote

from kubetour.causes import command_failed
from kubetour.errors import HostError
from kubetour.providers import Provider
from kubetour.remote import kubeconfig
from kubetour.remote.connection import HostConnection
from kubetour.remote.tunnel import Tunnel
from kubetour.runner import perform
from kubetour.script import shell
from kubetour.state import State


class FarCluster:
    """What `observe` asks for: the path of a kubeconfig that works here, and why there can be no more."""

    def __init__(self, c: HostConnection, provider: Provider, state: State) -> None:
        self._c, self._provider, self._state = c, provider, state
        self._tunnel: Tunnel | None = None
        self._lock = threading.Lock()
        self._file = state.place / f"{quote(provider.context, safe='')}.kubeconfig"

    def path(self) -> str:
        """Return the kubeconfig's path; ClusterError if there is none, HostError if the host is gone."""
        # kubectl itself reads it: it finds the user's own where none is named, and takes files in.
        run = self._provider.kubectl("config", "view", "--raw", "--flatten", "--minify")
        read = perform(self._c, run)
        if read.status != 0:
            raise command_failed(shell(run), "kubectl", read)
        there = kubeconfig.server(read.stdout)
        with self._lock:
            if self._tunnel is None:
                self._tunnel = Tunnel(self._c.transport, there, str(self._c.address))
        self._state.write(self._file, kubeconfig.through(read.stdout, self._tunnel.port))
        return str(self._file)

    def trouble(self) -> HostError | None:
        """Return the loss of the connection that the tunnel goes through."""
        if self._tunnel is None or self._tunnel.is_alive:
            return None
        return HostError("host-lost", host=str(self._c.address))

    def close(self) -> None:
        """Close the tunnel and remove its kubeconfig, which leads nowhere then."""
        with self._lock:
            if self._tunnel:
                self._tunnel.close()
            self._tunnel = None
        self._file.unlink(missing_ok=True)
