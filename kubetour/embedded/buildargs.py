"""Build arguments: what ARG declares, and where its value comes from."""

from __future__ import annotations

from collections.abc import Mapping

from kubetour.embedded import shellwords
from kubetour.embedded.dockerfile import Instruction

# Build arguments that need no ARG (docs.docker.com/reference/dockerfile/#predefined-args).
PREDEFINED = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"})


def declared(
    instruction: Instruction,
    variables: Mapping[str, str],
    given: Mapping[str, str],
    outer: Mapping[str, str],
    escape: str,
) -> dict[str, str | None]:
    """Return what an ARG declares: the value given on the command line, else the default, else the one that
    an ARG before FROM has. None: no value."""
    found: dict[str, str | None] = {}
    for word in shellwords.split_raw(instruction.text, escape):
        name, equals, default = word.partition("=")
        if not name.replace("_", "a").isalnum() or name[0].isdigit():
            raise instruction.error(f"{name!r} is no name for a build argument")
        value = (
            shellwords.expand(default, {**variables, **_set(found)}, escape) if equals else outer.get(name)
        )
        found[name] = given.get(name, value)
    return found


def _set(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}
