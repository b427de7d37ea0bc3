"""Host keys: what known_hosts says is believed, everything else is refused. Nothing is ever added to it."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import paramiko

from kubetour.errors import RefusedError

# https://man.openbsd.org/ssh_config#UserKnownHostsFile and #GlobalKnownHostsFile
USERS = "~/.ssh/known_hosts ~/.ssh/known_hosts2"
GLOBAL = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"


class Refuse(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]  # paramiko has no types
    """Refuses a key that known_hosts does not have. `command` asks a person about it, and adds it."""

    def __init__(self, command: str) -> None:
        self._command = command

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Raise RefusedError, with the fingerprint to compare."""
        raise RefusedError(
            "host-unknown",
            server=hostname,
            type=key.get_name(),
            fingerprint=key.fingerprint,
            command=self._command,
        )


def changed(error: paramiko.BadHostKeyException, port: int, command: str) -> RefusedError:
    """Return the error for a host that shows another key than the known one."""
    name = error.hostname if port == 22 else f"[{error.hostname}]:{port}"
    return RefusedError(
        "host-changed",
        server=name,
        type=error.key.get_name(),
        fingerprint=error.key.fingerprint,
        known=error.expected_key.fingerprint,
        forget=shlex.join(("ssh-keygen", "-R", name)),
        command=command,
    )


def check(client: paramiko.SSHClient, ssh_config: Mapping[str, Any], command: str) -> None:
    """Have a client believe what ssh would believe, and refuse the rest; before it connects."""
    client.set_missing_host_key_policy(Refuse(command))
    for option, default in (("userknownhostsfile", USERS), ("globalknownhostsfile", GLOBAL)):
        for name in shlex.split(str(ssh_config.get(option, default))):
            with contextlib.suppress(OSError, RuntimeError):  # no such file, or no home
                client.load_system_host_keys(str(Path(name).expanduser()))
