"""Errors in kind's words, and lists of them in the form of Go's aggregates."""

from __future__ import annotations

import shlex
from collections.abc import Sequence


class KindError(Exception):
    """What kind prints after `ERROR: `, and the output of the command that failed, if one did."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.output = output

    def within(self, context: str) -> KindError:
        """Return the same error with what was being done before it."""
        return KindError(f"{context}: {self.message}", self.output)


class CommandError(KindError):
    """A program that ended with another status than 0."""

    def __init__(self, argv: Sequence[str], status: int, output: str) -> None:
        super().__init__(f'command "{shlex.join(argv)}" failed with error: exit status {status}', output)
        self.status = status


def aggregate(messages: Sequence[str]) -> str:
    """Return one message of one or more; repeats are dropped."""
    unique = list(dict.fromkeys(messages))
    return unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]"


def quote(text: str) -> str:
    """Return the text as Go's %q does, for what names can hold."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def quote_list(texts: Sequence[str]) -> str:
    """Return the list as Go's %q does."""
    return f"[{' '.join(quote(text) for text in texts)}]"
