"""Operands: `inv prove spread scaling`. Invoke has positional arguments, but each must be given, once.

Invoke (2.2) makes its parser's contexts itself and offers no seam there, so the one question that its parser
asks of them is answered here, for those tasks only whose positional argument is a list.
"""

from __future__ import annotations

import sys
from typing import Any

from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext


class _Operand:
    """What the parser sees in place of the list: never given yet, so that each further word is for it."""

    value: Any = None
    kind = str

    def __init__(self, words: Argument) -> None:
        self.__dict__["words"] = words

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__["words"].value = value  # Invoke's own setter appends to a list


_asked = ParserContext.missing_positional_args.fget  # type: ignore[attr-defined]


def _missing(context: ParserContext) -> list[Any]:
    """Return what the next word is for; of operands, nothing is missing once there is no next word."""
    context.positional_args = [
        _Operand(arg) if arg.kind is list else arg  # type: ignore[misc]
        for arg in context.positional_args
    ]
    missing: list[Any] = _asked(context)
    ending = sys._getframe(1).f_code.co_name == "complete_context"  # asked when all words have been seen
    return [arg for arg in missing if not (ending and isinstance(arg, _Operand))]


def allow() -> None:
    """Let every task's positional argument that is a list take any number of words, also none."""
    ParserContext.missing_positional_args = property(_missing)  # type: ignore[method-assign,assignment]
