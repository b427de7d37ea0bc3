"""The connection: Fabric's, with host keys checked, every wait bounded, and errors that say what to type."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import paramiko
from fabric import Config, Connection
from invoke.context import Context

from kubetour.errors import HostError, KubetourError, UsageError
from kubetour.remote import address, hostkeys
from kubetour.remote.address import Address
from kubetour.remote.group import GroupRemote

CONNECT = 10  # seconds for the server to answer at all
AUTHENTICATE = 30.0  # seconds for it to decide whether we may come in
CHANNEL = 20.0  # seconds for a channel to open
PULSE = 10.0  # seconds between two questions whether it is still there
SILENCE = 15.0  # seconds for the answer, before the connection is given up
OUR_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")  # what paramiko looks for in ~/.ssh

logging.getLogger("paramiko").addHandler(logging.NullHandler())  # our errors tell it


class HostConnection(Connection):  # type: ignore[misc]  # Fabric has no types
    """A connection to a host. It opens with the first command, and again after it was lost."""

    address: Address = Address("")
    pulse: Pulse | None = None

    def open(self) -> None:
        """Connect; RefusedError for a host key that is not the known one, HostError for any other trouble."""
        if self.is_connected:
            return
        try:
            super().open()
        except BaseException as error:
            self.close()
            known = _explained(error, self)
            raise known or error from error
        self.pulse = Pulse(self.transport)
        self.pulse.start()

    def close(self) -> None:
        """Close the connection and those that it goes through."""
        if self.pulse:
            self.pulse.end()
            self.pulse = None
        with contextlib.suppress(Exception):  # of what is broken, nothing more is asked
            super().close()
        self.client.close()
        for gateway in _gateways(self):
            gateway.close()
            gateway.client.close()

    def work_in(self, directory: str) -> None:
        """Have commands run in a directory there; "" is where one logs in."""
        self.config.runners.remote = partial(GroupRemote, directory=directory)


class Pulse(threading.Thread):
    """Asks the other side again and again, and closes the connection when it does not answer in time.

    A host that is paused, or behind a cable that was cut, sends nothing that would end a wait.
    """

    def __init__(self, transport: paramiko.Transport) -> None:
        super().__init__(daemon=True, name="ssh-pulse")
        self._transport = transport
        self._ended = threading.Event()

    def run(self) -> None:
        """Ask until the connection is closed."""
        while not self._ended.wait(PULSE) and self._transport.is_active():
            late = threading.Timer(SILENCE, self._transport.close)
            late.daemon = True
            late.start()
            with contextlib.suppress(Exception):  # a connection that breaks now needs no more closing
                self._transport.global_request("keepalive@openssh.com", wait=True)
            late.cancel()

    def end(self) -> None:
        """Ask no more."""
        self._ended.set()


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
    for link in (made, *_gateways(made)):
        link.connect_timeout = CONNECT
        limits = {"banner_timeout": CONNECT, "auth_timeout": AUTHENTICATE, "channel_timeout": CHANNEL}
        link.connect_kwargs = {**dict(link.connect_kwargs), **limits}
        hostkeys.check(link.client, link.ssh_config, where.ssh() + " true")
    return made


def host_of(c: Context) -> str:
    """Return the host that `fab -H` gave a context, as `--host` would name it; "" for a context without."""
    if not isinstance(c, Connection):
        return ""
    user = c.user if c.user != c.ssh_config.get("user", c.config.user) else None
    port = c.port if c.port != int(c.ssh_config.get("port", c.config.port)) else None
    return str(Address(c.original_host, user, port))


def _gateways(link: Connection) -> Iterator[Connection]:
    """Yield the connections that a connection goes through, the nearest to it first."""
    while isinstance(link.gateway, Connection):
        link = link.gateway
        yield link


def _explained(error: BaseException, link: HostConnection) -> KubetourError | None:
    """Return the error that says what to type, or None for one that is not of the connection."""
    where = link.address
    if isinstance(error, KubetourError):
        return error
    if isinstance(error, paramiko.BadHostKeyException):
        ports = {str(one.host): int(one.port) for one in (*_gateways(link), link)}
        return hostkeys.changed(error, ports.get(error.hostname, 22), where.ssh() + " true")
    values: dict[str, Any] = {"host": str(where), "command": where.ssh() + " true"}
    if isinstance(error, paramiko.AuthenticationException) or "No authentication methods" in str(error):
        tried = ", ".join(_keys(link)) or "–"
        return HostError("host-auth", evidence=str(error), user=link.user, keys=tried, **values)
    if isinstance(error, (OSError, EOFError, paramiko.SSHException)):
        return HostError("host-unreachable", reason=_reason(error), **values)
    return None


def _reason(error: BaseException) -> str:
    if isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    errors = getattr(error, "errors", None)  # NoValidConnectionsError: one for each address
    if isinstance(errors, dict) and errors:
        error = next(iter(errors.values()))
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _keys(link: HostConnection) -> list[str]:
    """Return the key files that were tried, as far as they are there."""
    named = [str(Path(name).expanduser()) for name in link.connect_kwargs.get("key_filename", ())]
    ours = [str(Path("~/.ssh").expanduser() / name) for name in OUR_KEYS]
    return [name for name in dict.fromkeys((*named, *ours)) if Path(name).is_file()]
