"""The Docker command, called as kind calls it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import IO

from kind_standin.errors import CommandError


def run(*argv: str, content: bytes | None = None, stdin: IO[bytes] | None = None) -> str:
    """Run `docker ARGV` and return its standard output; CommandError holds both outputs.

    `content` is fed to it; else `stdin`; else it gets none.
    """
    command = ["docker", *argv]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE if content is not None else stdin or subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        out, err = (piece.decode(errors="replace") for piece in process.communicate(content))
    if process.returncode:
        raise CommandError(command, process.returncode, out + err)
    return out


def lines(*argv: str) -> list[str]:
    """Run `docker ARGV` and return the lines it prints."""
    return run(*argv).splitlines()


def exec_argv(node: str, *argv: str, stdin: bool = False) -> list[str]:
    """Return kind's whole command for a command on a node."""
    return ["docker", "exec", "--privileged", *(("-i",) if stdin else ()), node, *argv]


def on_node(
    node: str,
    *argv: str,
    content: bytes | None = None,
    stdin: IO[bytes] | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a command on a node and return its standard output; the error names kind's own command.

    What runs here needs no privileges, and not every machine can give them.
    """
    fed = content is not None or stdin is not None
    given = [word for item in (environment or {}).items() for word in ("-e", "=".join(item))]
    try:
        return run("exec", *(("-i",) if fed else ()), *given, node, *argv, content=content, stdin=stdin)
    except CommandError as error:
        raise CommandError(exec_argv(node, *argv, stdin=fed), error.status, error.output) from None
