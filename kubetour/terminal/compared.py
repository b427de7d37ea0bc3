"""Two runs side by side, for a terminal of 80 columns: a table of the steps, and what differs as a diff."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kubetour.comparison import Comparison, Pair, times
from kubetour.settings import flag
from kubetour.terminal.console import harmless
from kubetour.text import say

if TYPE_CHECKING:
    from rich.console import Console

Line = tuple[str, str]  # its style, and its text
MARKS = {True: " ", False: "✗", None: " "}
WIDE = 40  # columns of a step's id
MOST = 400  # characters of one text


def print_comparison(console: Console, compared: Comparison, language: str) -> None:
    """Print how long each step took in both runs, and what else differs."""
    for style, text in (*_table(compared), *_settings(compared, language)):
        console.print(text, style=style, soft_wrap=True)
    for style, text in _differences(compared, language):
        console.print(text, style=style, soft_wrap=True)


def _table(compared: Comparison) -> Iterator[Line]:
    yield "bold", f"  {'':{WIDE}}{'A':>9}   {'B':>9}   {'B ÷ A':>8}"
    for pair in compared.steps:
        numbers = [
            f"{'–' if seconds is None else f'{seconds:.2f} s':>9} {MARKS[ok]}"
            for seconds, ok in zip(pair.seconds, pair.ok, strict=True)
        ]
        differs = "≠ " if pair.differs or None in pair.ok else "  "
        style = "red" if False in pair.ok else ""
        yield style, f"{differs}{pair.step:{WIDE}}{' '.join(numbers)} {times(pair.ratio):>8}"
    first, second = compared.seconds
    yield "bold", f"  {'Σ':{WIDE}}{first:>7.2f} s   {second:>7.2f} s   {times(compared.ratio):>8}"


def _settings(compared: Comparison, language: str) -> Iterator[Line]:
    yield "", ""
    yield "bold", say(language, "compare.settings")
    if not compared.settings:
        yield "", f"  {say(language, 'compare.same-settings')}"
    for setting in compared.settings:
        yield "", f"  {flag(setting.name)}"
        for name, value, origin in zip("AB", setting.values, setting.origins, strict=True):
            yield "", f"    {name} {harmless(value)} ({harmless(origin)})"


def _differences(compared: Comparison, language: str) -> Iterator[Line]:
    yield "", ""
    yield "bold", say(language, "compare.differences")
    differing = [pair for pair in compared.steps if pair.differs]
    if not differing and not any(compared.alone):
        yield "", f"  {say(language, 'compare.no-differences')}"
    for pair in differing:
        yield "cyan", f"  {pair.step}"
        yield from _of(pair)
    first, second = compared.alone
    yield from _alone(say(language, "compare.only-first"), first)
    yield from _alone(say(language, "compare.only-second"), second)


def _alone(heading: str, steps: tuple[str, ...]) -> Iterator[Line]:
    if steps:
        yield "cyan", f"  {heading}"
        yield "", f"    {', '.join(steps)}"


def _of(pair: Pair) -> Iterator[Line]:
    for sign, texts in zip("-+", pair.only, strict=True):
        for text in texts:
            for number, line in enumerate(text[:MOST].splitlines()):
                yield "", f"    {sign if not number else ' '} $ {harmless(line)}"
    for name, text in zip("AB", pair.found or (), strict=False):
        yield "", f"    {name} {harmless(' '.join(text[:MOST].split()))}"
