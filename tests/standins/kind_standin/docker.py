"""The Docker command, called as kind calls it, or that of the engine KIND_EXPERIMENTAL_PROVIDER names."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO

from kind_standin.errors import CommandError

VARIABLE = "KIND_EXPERIMENTAL_PROVIDER"
KNOWN = ("docker", "podman", "nerdctl")
_told = [""]  # by `used`, the last one counts


@contextmanager
def used(program: str) -> Iterator[None]:
    """Call this engine's program, as long as the body runs, whatever the environment says."""
    _told.append(program)
    try:
        yield
    finally:
        _told.pop()


def program() -> str:
    """Return the engine's program: Docker's, unless the environment names another one that kind knows."""
    if _told[-1]:
        return _told[-1]
    wanted = os.environ.get(VARIABLE, "")
    return wanted if wanted in KNOWN else "docker"


def warnings() -> tuple[str, ...]:
    """Return what kind says of the choice, before anything else."""
    wanted = os.environ.get(VARIABLE, "")
    if not wanted:
        return ()
    if wanted not in KNOWN:
        return (f'ignoring unknown value "{wanted}" for {VARIABLE}',)
    experimental = (f"enabling experimental {wanted} provider",) if wanted == "podman" else ()
    return (f"using {wanted} due to {VARIABLE}", *experimental)


def run(*argv: str, content: bytes | None = None, stdin: IO[bytes] | None = None, by: str = "") -> str:
    """Run the engine's command (or that of `by`) and return its standard output; CommandError holds both.

    `content` is fed to it; else `stdin`; else it gets none.
    """
    command = [by or program(), *argv]
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


def pullable(image: str) -> str:
    """Return an image's name as kind hands it to the engine: in full to podman, which guesses no registry."""
    return image if program() != "podman" or "." in image.partition("/")[0] else f"docker.io/{image}"


def label(name: str) -> str:
    """Return the template that prints a container's label; podman has no method for it before version 5."""
    return f'{{{{index .Labels "{name}"}}}}' if program() == "podman" else f'{{{{.Label "{name}"}}}}'


def lines(*argv: str) -> list[str]:
    """Run the engine's command and return the lines it prints."""
    return run(*argv).splitlines()


def exec_argv(node: str, *argv: str, stdin: bool = False) -> list[str]:
    """Return kind's whole command for a command on a node."""
    return [program(), "exec", "--privileged", *(("-i",) if stdin else ()), node, *argv]


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
