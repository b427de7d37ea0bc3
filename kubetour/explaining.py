"""`inv explain`: what a code means; all of them, on the terminal or as docs/errors.md.

It reads no settings: of all tasks, this one has to work where a setting is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from kubetour import codes
from kubetour.codes import FAMILIES, RETIRED, TABLE, Code
from kubetour.ending import told
from kubetour.errors import UsageError
from kubetour.terminal import console as consoles
from kubetour.terminal.prose import print_prose
from kubetour.text import choose, say

if TYPE_CHECKING:
    from rich.console import Console


def explain(flags: Mapping[str, Any], words: Sequence[str], markdown: bool) -> None:
    """Print what codes or keys mean; without any, list all. UsageError for one that is unknown."""
    language = choose(flags.get("lang"))
    with told(language):
        if words and markdown:
            raise UsageError("flags-exclude", one="--markdown", other=words[0])
        if markdown:
            print(as_markdown(language), end="")
            return
        out = consoles.make()
        found = [codes.find(word) or _retired(word) for word in words]
        for number, item in enumerate(found):
            if number:
                out.print()
            if isinstance(item, Code):
                _tell(out, item, language)
            else:
                out.print(say(language, "explain.retired", code=item, name=RETIRED[item]), soft_wrap=True)
        if not found:
            _list(out, language)


def _retired(word: str) -> str:
    """Return the code that is no longer raised; UsageError, with what is like it, if there was none."""
    for code, key in RETIRED.items():
        if word.upper() == code or word.lower() == key:
            return code
    raise UsageError("code-unknown", word=word, near=", ".join(codes.near(word)))


def _tell(out: Console, item: Code, language: str) -> None:
    out.rule(f"{item.code} · {item.key}", style="cyan", align="left")
    out.print(f"✗ {item.cause(language)}", style="bold red", soft_wrap=True)
    if fix := item.fix(language):
        out.print(f"→ {fix}", soft_wrap=True)
    out.print()
    print_prose(out, say(language, "explain.when", when=item.strikes(language)))
    print_prose(out, _exit(item, language))
    for heading, part in _parts(item, language):
        out.print()
        out.print(heading, style="bold")
        print_prose(out, part)


def _parts(item: Code, language: str) -> list[tuple[str, str]]:
    """Return a code's page: what it means, how to see it and how to mend it, each with its heading."""
    headings = [say(language, key) for key in ("explain.means", "explain.see", "explain.mend")]
    return list(zip(headings, item.pages(language), strict=False))


def _exit(item: Code, language: str) -> str:
    if not item.statuses:
        return say(language, "explain.no-exit")
    return say(language, "explain.exit", statuses=_statuses(item))


def _statuses(item: Code) -> str:
    return ", ".join(map(str, item.statuses))


def _list(out: Console, language: str) -> None:
    for family in FAMILIES:
        out.rule(codes.family(family, language), style="cyan", align="left")
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
        table.add_column(no_wrap=True, style="bold")
        table.add_column(no_wrap=True)
        table.add_column()
        for item in _of(family):
            table.add_row(item.code, item.key, item.cause(language))
        out.print(table)
        out.print()
    out.print(say(language, "explain.how"), soft_wrap=True)


def _of(family: str) -> list[Code]:
    return [item for item in TABLE if item.family == family]


def as_markdown(language: str) -> str:
    """Return every code as a page of Markdown: docs/errors.md is the English one."""
    return "\n".join(_markdown(language)) + "\n"


def _markdown(language: str) -> Iterator[str]:
    yield f"# {say(language, 'explain.title')}"
    yield f"\n<!-- {say(language, 'explain.generated')} -->"
    yield f"\n{say(language, 'explain.intro')}"
    columns = say(language, "explain.columns").split("|")
    for family in FAMILIES:
        yield f"\n## {codes.family(family, language)}\n"
        yield _row(columns)
        yield _row(["---"] * len(columns))
        for item in _of(family):
            name = f"**{item.code}** `{item.key}`"
            told = [
                _cell(text) for text in (item.strikes(language), item.cause(language), item.fix(language))
            ]
            yield _row([name, _statuses(item) or "–", *told])
    if RETIRED:
        yield f"\n## {say(language, 'explain.retired-title')}\n"
        yield from (f"- {code} `{key}`" for code, key in RETIRED.items())
    yield f"\n## {say(language, 'explain.pages')}"
    for page in dict.fromkeys(item.page for item in TABLE if item.page):
        known = [item for item in TABLE if item.page == page]
        yield f"\n### {', '.join(f'{item.code} {item.key}' for item in known)}"
        for heading, part in _parts(known[0], language):
            yield f"\n**{heading}.** {part}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """Return a text that a cell of a table holds as it is."""
    for sign in "\\|<>*":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", "<br>")
