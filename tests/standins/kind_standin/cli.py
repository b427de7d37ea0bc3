"""Command trees that parse and help as cobra and pflag do: https://github.com/spf13/cobra"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from kind_standin import durations
from kind_standin.errors import KindError, quote


@dataclass(frozen=True)
class Flag:
    """One flag. `type` is string, strings, bool, duration, int or int32."""

    name: str
    type: str
    help: str
    short: str = ""
    default: str = ""

    def parse(self, value: str) -> Any:
        """Return the value in its type; KindError in pflag's words."""
        try:
            if self.type == "duration":
                return durations.parse(value)
            if self.type in ("int", "int32"):
                return int(value)
        except ValueError as error:
            why = error if self.type == "duration" else f'strconv.ParseInt: parsing "{value}": invalid syntax'
            shown = f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"
            raise KindError(f'invalid argument "{value}" for "{shown}" flag: {why}') from None
        if self.type == "bool":
            if value not in ("true", "false"):
                raise KindError(f'invalid argument "{value}" for "--{self.name}" flag')
            return value == "true"
        return value

    def row(self) -> tuple[str, str]:
        """Return the two columns of the help."""
        left = f"  -{self.short}, --{self.name}" if self.short else f"      --{self.name}"
        left += f" {self.type}" if self.type != "bool" else ""
        return left, self.help + (f" (default {quote(self.default)})" if self.default else "")


Values = dict[str, Any]
Action = Callable[[Values, list[str]], int]


@dataclass(frozen=True)
class Command:
    """One command: its words, flags, and what it does. Without an action it needs a subcommand."""

    use: str
    short: str
    long: str
    flags: tuple[Flag, ...] = ()
    commands: tuple[Command, ...] = ()
    action: Action | None = None
    arguments: Callable[[list[str], str], None] | None = None
    note: str = field(default="", kw_only=True)

    @property
    def name(self) -> str:
        """Return the word that is typed."""
        return self.use.partition(" ")[0]


GLOBAL = (
    Flag("quiet", "bool", "silence all stderr output", "q"),
    Flag("verbosity", "int32", "info log verbosity, higher value produces more output", "v"),
)


@dataclass(frozen=True)
class Parsed:
    """What was typed: the path of commands, the flags' values, the arguments."""

    path: tuple[Command, ...]
    values: Values
    arguments: list[str]

    @property
    def words(self) -> str:
        """Return the commands as typed."""
        return " ".join(command.name for command in self.path)


def _flags(path: tuple[Command, ...]) -> list[Flag]:
    about = path[0].name if len(path) == 1 else path[-1].name
    own = [*path[-1].flags, Flag("help", "bool", f"help for {about}", "h")]
    if len(path) == 1:
        own.append(Flag("version", "bool", f"version for {about}"))
    return own


def parse(root: Command, argv: Iterable[str], everywhere: tuple[Flag, ...] = GLOBAL) -> Parsed:
    """Return what was typed; KindError in cobra's words. `everywhere` are the flags of every command."""
    path: tuple[Command, ...] = (root,)
    values: Values = {}
    arguments: list[str] = []
    words = list(argv)
    while words:
        word = words.pop(0)
        if word == "--":
            arguments += words
            break
        if word.startswith("--"):
            _long(word, words, [*_flags(path), *everywhere], values)
        elif word.startswith("-") and word != "-":
            _short(word, words, [*_flags(path), *everywhere], values)
        elif not arguments and (found := [c for c in path[-1].commands if c.name == word]):
            path = (*path, found[0])
        else:
            arguments.append(word)
    return Parsed(path, values, arguments)


def _long(word: str, words: list[str], flags: list[Flag], values: Values) -> None:
    name, equals, value = word[2:].partition("=")
    flag = next((flag for flag in flags if flag.name == name), None)
    if flag is None:
        raise KindError(f"unknown flag: --{name}")
    if not equals:
        if flag.type == "bool":
            value = "true"
        elif words:
            value = words.pop(0)
        else:
            raise KindError(f"flag needs an argument: --{name}")
    _set(flag, value, values)


def _short(word: str, words: list[str], flags: list[Flag], values: Values) -> None:
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        flag = next((flag for flag in flags if flag.short == letter), None)
        if flag is None:
            raise KindError(f"unknown shorthand flag: '{letter}' in {word}")
        if flag.type == "bool":
            _set(flag, "true", values)
            continue
        if not letters and not words:
            raise KindError(f"flag needs an argument: '{letter}' in {word}")
        _set(flag, letters.removeprefix("=") or words.pop(0), values)
        return


def _set(flag: Flag, value: str, values: Values) -> None:
    if flag.type == "strings":
        values.setdefault(flag.name, []).extend(part for part in value.split(",") if part)
    else:
        values[flag.name] = flag.parse(value)


def help_text(path: tuple[Command, ...]) -> str:
    """Return the help of the last command of the path."""
    command, words = path[-1], " ".join(step.name for step in path)
    flags = "" if len(path) == 1 else " [flags]"
    lines = [command.long.rstrip(), "", "Usage:"]
    if len(path) > 1:
        use = command.use.partition(" ")[2]
        lines.append(f"  {words}{' ' + use if use else ''}{flags}")
    if command.commands:
        lines.append(f"  {words} [command]")
        lines += ["", "Available Commands:"]
        width = max(11, *(len(each.name) for each in command.commands))
        lines += [f"  {each.name:<{width}} {each.short}" for each in command.commands]
    own = _flags(path) + (list(GLOBAL) if len(path) == 1 else [])
    lines += ["", "Flags:", *_rows(own)]
    if len(path) > 1:
        lines += ["", "Global Flags:", *_rows(GLOBAL)]
    if command.commands:
        lines += ["", f'Use "{words} [command] --help" for more information about a command.']
    if command.note:
        lines += ["", command.note]
    return "\n".join(lines) + "\n"


def _rows(flags: Iterable[Flag]) -> list[str]:
    rows = [flag.row() for flag in sorted(flags, key=lambda flag: flag.name)]
    width = max(len(left) for left, _ in rows)
    return [f"{left:<{width}}   {right}" for left, right in rows]
