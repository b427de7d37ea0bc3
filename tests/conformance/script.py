"""The script of commands whose output follows from Kubernetes' sources: script.txt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.conformance import normal
from tests.conformance.terminal import Said

_STATUS = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True)
class Command:
    """A command, and what it has to say."""

    line: str
    says: Said


def read() -> list[Command]:
    """Return the commands in order."""
    text = (Path(__file__).parent / "script.txt").read_text(encoding="utf-8")
    return [_command(block) for block in re.split(r"\n+(?=\$ )", text)[1:]]


def _command(block: str) -> Command:
    line, *rest = block.removeprefix("$ ").rstrip("\n").split("\n")
    status = 0
    if rest and (match := _STATUS.fullmatch(rest[-1])):
        status = int(match[1])
        rest.pop()
    errors = [each.removeprefix("! ") for each in rest if each.startswith("! ")]
    lines = [each for each in rest if not each.startswith("! ")]
    return Command(line, Said(status, "\n".join(lines), "\n".join(errors)))


def shown(said: Said) -> tuple[str, ...]:
    """Return what was said in lines, normalised."""
    out, err = ("\n".join(normal.text(each)).rstrip("\n") for each in (said.out, said.err))
    return (f"exit status {said.status}", *out.split("\n"), *(f"! {line}" for line in err.split("\n")))
