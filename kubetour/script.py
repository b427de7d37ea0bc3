"""The plan as text for a POSIX shell: the very text that the tour runs, and the whole of it as a script."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping

from kubetour.errors import UsageError
from kubetour.steps import Found, Lookup, Run, Rung, Step, Variable, Word

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


def _word(part: Word) -> str:
    if isinstance(part, str):
        return shlex.quote(part)
    if isinstance(part, Variable):
        # The program may be several words, none of which a shell would split or expand further.
        return "$curl" if part.found is Found.PROGRAM else f'"${{{part.found.value}}}{_inside(part.after)}"'
    return f'"{_inside(part.before)}$({shell(part.run)}){_inside(part.after)}"'


def _inside(text: str) -> str:
    """Return text for within double quotes: POSIX lets $ ` " and the backslash keep their meaning there."""
    return re.sub(r'([$`"\\])', r"\\\1", text)


def _mark(body: str) -> str:
    """Return a word that ends the body where it ends.

    dash (0.5.12) loses a byte of a line that begins like the mark and goes on with one beyond ASCII: so no
    line with any such byte may begin with its first letter.
    """
    lines = body.split("\n")
    taken = {line[0] for line in lines if line and not line.isascii()}
    mark = next((letter for letter in "EIMYXZ" if letter not in taken), "E") + "OF"
    while mark in lines:
        mark += "F"
    return mark


def script(
    steps: Iterable[Step], titles: Mapping[str, str], heading: Iterable[str], first: Iterable[str]
) -> str:
    """Return a commented script that does the same steps and stops where the tour would stop.

    `heading` is its opening comment, `first` its first commands.
    """
    steps = tuple(steps)
    lines = ["#!/bin/sh", *(f"# {line}".rstrip() for line in heading)]
    if any(step.ladder for step in steps):
        lines.append("# shellcheck disable=SC2016,SC2086  # templates have $ too; $curl is several words")
    lines += ["set -eu", *first]
    rescue: tuple[Run, ...] = ()
    for step in steps:
        trap: list[str] = []
        if (*step.rescue, *step.restore) != rescue:
            rescue = (*step.rescue, *step.restore)
            trap = [f"trap {shlex.quote(_rescue(rescue)) if rescue else '-'} EXIT"]
        lines += [f"# {step.id}: {titles[step.id]}", *_commands(step, trap), ""]
    if rescue:
        lines.append("trap - EXIT\n")
    return "\n".join(lines)


def _rescue(runs: tuple[Run, ...]) -> str:
    """Return the commands, each of which runs whether the one before succeeded or not."""
    return "; ".join((*(("set +e",) if len(runs) > 1 else ()), *map(shell, runs)))


def _commands(step: Step, trap: list[str]) -> list[str]:
    """Return a step's lines, `trap` before what it is for: what a step finds there is never taken back."""
    if step.refusable:
        actions = [f"{shell(run)} || echo '{step.id}: Forbidden?' >&2" for run in step.actions]
    elif step.ladder:
        actions = _climb(step)
    else:
        actions = [line for run in step.actions for line in _action(run, step.again)]
    confirm = [shell(run) for run in step.confirm]
    only_removes = step.removes and not step.creates  # what the script has made before
    refusal = _refusal(step, step.exists) if step.exists and not only_removes else []
    asked = step.confirm if step.settled else (step.unless,) if step.unless else ()
    if not asked:
        return [*refusal, *trap, *actions, *confirm]
    outer, inner = ([], trap) if step.creates and step.rescue else (trap, [])
    done = " && ".join(map(shell, asked))
    done = f"{{ {done}; }}" if len(asked) > 1 else done
    guarded = [f"if ! {done} >/dev/null 2>&1; then", *refusal, *inner, *actions, "fi"]
    return [*outer, *guarded, *confirm]


def _refusal(step: Step, exists: Run) -> list[str]:
    """Return what ends the script where the tour would ask the ledger, which a script has not."""
    return [
        f"if {shell(exists)} >/dev/null 2>&1; then",
        f"    echo {shlex.quote(f'{step.id}: this is there already, and maybe not yours')} >&2; exit 9",
        "fi",
    ]


def _climb(step: Step) -> list[str]:
    """Return the ladder: its rungs in turn, from the first again after a second, until one holds."""
    command = " && ".join(shell(run) for run in step.actions)
    lines = ["tries=0", "while true; do"]
    for rung in step.ladder:
        there = '[ -n "$url" ] && ' if isinstance(rung.url, Lookup) and not rung.url.before else ""
        lines += [
            f"    # {rung.way.key}",
            f"    {_set(rung)}",
            f"    if {there}{command}; then break; fi",
        ]
    return [*lines, f'    tries=$((tries + 1)); [ "$tries" -lt {TRIES} ]; sleep 1', "done"]


def _set(rung: Rung) -> str:
    program = shlex.quote(shlex.join(rung.program))
    return f"{Found.PROGRAM.value}={program}; {Found.URL.value}={_word(rung.url)}"


def _action(run: Run, again: bool) -> list[str]:
    if not again:
        return [shell(run)]
    return [
        "tries=0",
        f"until {shell(run)}; do",
        f'    tries=$((tries + 1)); [ "$tries" -lt {TRIES} ]; sleep 1',
        "done",
    ]
