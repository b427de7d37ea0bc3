"""The flags of COPY and ADD: --chown and --chmod."""

from __future__ import annotations

from collections.abc import Mapping

from kubetour.embedded import shellwords
from kubetour.embedded.context import Ownership
from kubetour.embedded.dockerfile import Instruction

# The users that the official Node image has beside root; their numbers are the same in all its versions.
_USERS = {"root": 0, "node": 1000}


def ownership(instruction: Instruction, variables: Mapping[str, str], escape: str) -> Ownership:
    """Return what the flags ask for; DockerfileError for one that cannot be followed."""
    uid = gid = 0
    mode: int | None = None
    for name, raw in instruction.flags.items():
        value = shellwords.expand(raw, variables, escape)
        if name == "chown":
            user, colon, group = value.partition(":")
            uid = _number(instruction, user)
            gid = _number(instruction, group) if colon else uid
        elif name == "chmod":
            mode = _mode(instruction, value)
        elif name == "from":
            raise instruction.error(
                f"--from={value}: no other image or stage can be copied from, as RUN cannot fill one here; "
                f"COPY from the build context, or use a container engine"
            )
        elif name != "link":  # how the layer is put together: this builder has but one way
            raise instruction.error(f"--{name} is not supported; --chown=UID:GID and --chmod=MODE are")
    return Ownership(uid, gid, mode)


def _number(instruction: Instruction, text: str) -> int:
    if text.isdigit():
        return int(text)
    if text not in _USERS:
        raise instruction.error(f"--chown: no user {text!r} is known here; give a number, such as 1000:1000")
    return _USERS[text]


def _mode(instruction: Instruction, text: str) -> int:
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o7777:
        raise instruction.error(f"--chmod={text}: give an octal mode, such as 0644")
    return mode
