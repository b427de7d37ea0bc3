"""An error as a person reads it: code and cause, evidence, diagnosis, fix."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kubetour.codes import coded
from kubetour.errors import Interrupted, Told
from kubetour.terminal.console import harmless_lines

if TYPE_CHECKING:
    from rich.console import Console


def print_error(
    console: Console, error: Told, language: str, clean: Callable[[str], str] = harmless_lines
) -> None:
    """Print an error; `clean` is what every text goes through."""
    cause, fix = error.explain(language)
    if isinstance(error, Interrupted):
        console.print()  # a terminal has just shown ^C
    console.print(f"✗ {coded(error.key, clean(cause))}", style="bold red", soft_wrap=True)
    for line in clean(error.evidence).splitlines():
        console.print(f"  │ {line}", style="dim", soft_wrap=True)
    for text in error.diagnosis(language):
        console.print(f"  • {clean(text)}", soft_wrap=True)
    console.print(f"→ {clean(fix)}", soft_wrap=True)
