"""COPY and ADD: their flags, and which files of the context go where in the image."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from kubetour.embedded import shellwords
from kubetour.embedded.context import Context, Ownership
from kubetour.embedded.dockerfile import Instruction
from kubetour.embedded.layer import Entry

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


def entries(
    instruction: Instruction,
    variables: Mapping[str, str],
    escape: str,
    files: Context,
    config: Mapping[str, Any],
    present: dict[str, bool],
) -> list[Entry]:
    """Return what the instruction adds to an image with this config and these paths.

    DockerfileError or CopyError where it cannot be done.
    """
    owner = ownership(instruction, variables, escape)
    words = instruction.exec_form
    if words is None:
        words = shellwords.split(instruction.text, variables, escape)
    if len(words) < 2:
        raise instruction.error("needs a source and a destination, such as COPY app.js ./")
    *sources, destination = words
    if instruction.keyword == "ADD":
        _refuse_what_add_unpacks(instruction, sources)
    directory = destination.endswith("/") or posixpath.basename(destination) in (".", "..")
    absolute = posixpath.normpath(posixpath.join("/", config.get("WorkingDir") or "/", destination))
    absolute += "/" if directory and absolute != "/" else ""
    return files.copy(sources, absolute, present, owner)


def _refuse_what_add_unpacks(instruction: Instruction, sources: list[str]) -> None:
    for source in sources:
        if "://" in source or source.startswith("git@"):
            raise instruction.error(f"{source} would be downloaded; fetch it yourself and COPY the file")
        if source.endswith((".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")):
            raise instruction.error(f"{source} would be unpacked, which is not supported; COPY its content")
