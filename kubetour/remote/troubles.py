"""Why one cannot get in, and what to type about it: errors of paramiko and of the network, explained."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
from fabric import Connection

from kubetour.errors import HostError, Told
from kubetour.remote import hostkeys
from kubetour.remote.address import Address

OUR_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")  # what paramiko looks for in ~/.ssh


def gateways(link: Connection) -> Iterator[Connection]:
    """Yield the connections that a connection goes through, the nearest to it first."""
    while isinstance(link.gateway, Connection):
        link = link.gateway
        yield link


def explained(error: BaseException, link: Connection, where: Address) -> Told | None:
    """Return the error that says what to type, or None for one that is not of the connection."""
    if isinstance(error, Told):
        return error
    if isinstance(error, paramiko.BadHostKeyException):
        ports = {str(one.host): int(one.port) for one in (*gateways(link), link)}
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


def _keys(link: Connection) -> list[str]:
    """Return the key files that were tried, as far as they are there."""
    named = [str(Path(name).expanduser()) for name in link.connect_kwargs.get("key_filename", ())]
    ours = [str(Path("~/.ssh").expanduser() / name) for name in OUR_KEYS]
    return [name for name in dict.fromkeys((*named, *ours)) if Path(name).is_file()]
