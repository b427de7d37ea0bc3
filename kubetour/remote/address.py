"""Where a host is, as it was typed: `user@server:port`, of which only the server is a must."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from kubetour.rules import HOST


@dataclass(frozen=True)
class Address:
    """A server, or its alias in the SSH configuration. What is None is for that configuration to say."""

    server: str
    user: str | None = None
    port: int | None = None

    def __str__(self) -> str:
        """Return it as it is typed."""
        user = f"{self.user}@" if self.user else ""
        server = f"[{self.server}]" if ":" in self.server else self.server
        return user + server + (f":{self.port}" if self.port else "")

    def ssh(self, *options: str) -> str:
        """Return the beginning of an `ssh` command line to this host."""
        port = ("-p", str(self.port)) if self.port else ()
        user = f"{self.user}@" if self.user else ""
        return shlex.join(("ssh", *options, *port, user + self.server))


def parse(text: str) -> Address:
    """Return the address of a text that passed the setting's rule; ValueError for any other."""
    found = re.fullmatch(HOST, text, re.ASCII)
    if not found:
        raise ValueError(text)
    server = (found["bracketed"] or found["server"]).strip("[]")
    return Address(server, found["user"], int(found["port"]) if found["port"] else None)
