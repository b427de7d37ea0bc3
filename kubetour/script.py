"""The plan as text for a POSIX shell: the very text that the tour runs, and the whole of it as a script."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping

from kubetour.errors import UsageError
from kubetour.steps import Lookup, Run, Step

# Linux takes at most 128 KiB in one argument (MAX_ARG_STRLEN), and `sh -c TEXT` is one.
LONGEST = 120_000
TRIES = 60  # of a command that may come too early, one second apart


def shell(run: Run) -> str:
    """Return the command as one would type it; UsageError if it is longer than a shell can be given."""
    text = " ".join(_word(part) for part in run.argv)
    if run.stdin is not None:
        mark = _mark(run.stdin)
        text = f"{text} <<'{mark}'\n{run.stdin.rstrip(chr(10))}\n{mark}"
    if len(text.encode()) > LONGEST:
        raise UsageError("command-too-long", length=len(text.encode()), longest=LONGEST)
    return text


def program(run: Run) -> str:
    """Return the bare name of the program that a command runs, past `env NAME=VALUE`."""
    words = [part for part in run.argv if isinstance(part, str)]
    if words[:1] == ["env"]:
        words = [word for word in words[1:] if "=" not in word]
    return next(iter(words), "").rpartition("/")[2]


def _word(part: str | Lookup) -> str:
    if isinstance(part, str):
        return shlex.quote(part)
    return f'"{_inside(part.before)}$({shell(part.run)}){_inside(part.after)}"'


def _inside(text: str) -> str:
    """Return text for within double quotes: POSIX lets $ ` " and the backslash keep their meaning there."""
    return re.sub(r'([$`"\\])', r"\\\1", text)


def _mark(body: str) -> str:
    mark = "EOF"
    while mark in body.splitlines():
        mark += "F"
    return mark


def script(
    steps: Iterable[Step], titles: Mapping[str, str], heading: Iterable[str], first: Iterable[str]
) -> str:
    """Return a commented script that does the same steps and stops where the tour would stop.

    `heading` is its opening comment, `first` its first commands.
    """
    lines = ["#!/bin/sh", *(f"# {line}".rstrip() for line in heading), "set -eu", *first]
    for step in steps:
        lines += [f"# {step.id}: {titles[step.id]}", *_commands(step), ""]
    return "\n".join(lines)


def _commands(step: Step) -> list[str]:
    actions = [line for run in step.actions for line in _action(run, step.again)]
    confirm = [shell(run) for run in step.confirm]
    if step.unless is None:
        return [*actions, *confirm]
    refusal = _refusal(step) if step.exists else []
    guarded = [f"if ! {shell(step.unless)} >/dev/null 2>&1; then", *refusal, *actions, "fi"]
    return [*guarded, *confirm]


def _refusal(step: Step) -> list[str]:
    """Return what ends the script where the tour would ask the ledger, which a script has not."""
    assert step.exists
    return [
        f"if {shell(step.exists)}; then",
        f"    echo {shlex.quote(f'{step.id}: this is there already, and maybe not yours')} >&2; exit 9",
        "fi",
    ]


def _action(run: Run, again: bool) -> list[str]:
    if not again:
        return [shell(run)]
    return [
        "tries=0",
        f"until {shell(run)}; do",
        f'    tries=$((tries + 1)); [ "$tries" -lt {TRIES} ]; sleep 1',
        "done",
    ]
