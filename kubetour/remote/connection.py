"""The connection: Fabric's, with host keys checked, every wait bounded, and errors that say what to type."""

from __future__ import annotations

import contextlib
import logging
import shlex
import socket
import subprocess
from functools import partial
from typing import Any

import paramiko
from fabric import Config, Connection
from invoke.context import Context

from kubetour.errors import UsageError
from kubetour.interrupts import heard
from kubetour.remote import address, hostkeys
from kubetour.remote.address import Address
from kubetour.remote.group import GroupRemote
from kubetour.remote.pulse import Pulse, transport
from kubetour.remote.troubles import explained, gateways

CONNECT = 10  # seconds for the server to answer at all
AUTHENTICATE = 30.0  # seconds for it to decide whether we may come in
CHANNEL = 20.0  # seconds for a channel to open

logging.getLogger("paramiko").addHandler(logging.NullHandler())  # our errors tell it


class HostConnection(Connection):  # type: ignore[misc]  # Fabric has no types
    """A connection to a host. It opens with the first command, and again after it was lost."""

    address: Address = Address("")
    pulse: Pulse | None = None
    proxy: subprocess.Popen[bytes] | None = None  # the program of a ProxyCommand

    def open(self) -> None:
        """Connect; RefusedError for a host key that is not the known one, HostError for any other trouble."""
        if self.is_connected:
            return
        try:
            heard(super().open)
        except BaseException as error:
            self.close()
            if told := explained(error, self, self.address):
                raise told from error
            raise
        self.pulse = Pulse(self.transport)
        self.pulse.start()

    def open_gateway(self) -> Any:
        """Return the socket that the connection goes through: another connection's, or a ProxyCommand's.

        paramiko would poll the program's pipes, without end once it has ended, and leave both behind.
        """
        if not isinstance(self.gateway, str):
            return super().open_gateway()
        argv: list[str] = shlex.split(self.gateway)
        ours, its = socket.socketpair()
        with its:
            try:
                end = its.fileno()
                self.proxy = subprocess.Popen(argv, stdin=end, stdout=end, stderr=subprocess.DEVNULL)
            except BaseException:
                ours.close()
                raise
        return ours

    def close(self) -> None:
        """Close the connection and those that it goes through."""
        if self.pulse:
            self.pulse.end()
            self.pulse = None
        with contextlib.suppress(Exception):  # of what is broken, nothing more is asked
            super().close()
        self.client.close()
        for gateway in gateways(self):
            gateway.close()
            gateway.client.close()
        if self.proxy:
            self.proxy.kill()
            self.proxy.wait()
            self.proxy = None

    def work_in(self, directory: str) -> None:
        """Have commands run in a directory there; "" is where one logs in."""
        self.config.runners.remote = partial(GroupRemote, directory=directory)


def connection(host: str, c: Context | None = None) -> HostConnection:
    """Return a connection to a host, not yet open; UsageError if the SSH configuration is broken.

    `c` may be a context of `fab`, whose settings then hold.
    """
    where = address.parse(host)
    try:
        config = c.config.clone() if c is not None and isinstance(c.config, Config) else Config()
        config.runners.remote = GroupRemote
        config.run.encoding = "utf-8"
        made = HostConnection(where.server, user=where.user, port=where.port, config=config)
    except (paramiko.SSHException, ValueError, KeyError) as error:
        raise UsageError("host-config", reason=str(error)) from error
    made.address = where
    for link in (made, *gateways(made)):
        link.connect_timeout = CONNECT
        limits = {"banner_timeout": CONNECT, "auth_timeout": AUTHENTICATE, "channel_timeout": CHANNEL}
        link.connect_kwargs = {**dict(link.connect_kwargs), **limits, "transport_factory": transport}
        hostkeys.check(link.client, link.ssh_config, where.ssh() + " true")
    return made


def host_of(c: Context) -> str:
    """Return the host that `fab -H` gave a context, as `--host` would name it; "" for a context without."""
    if not isinstance(c, Connection):
        return ""
    user = c.user if c.user != c.ssh_config.get("user", c.config.user) else None
    port = c.port if c.port != int(c.ssh_config.get("port", c.config.port)) else None
    return str(Address(c.original_host, user, port))
