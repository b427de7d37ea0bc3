"""compare.html: two runs side by side, from their records, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubetour.comparison import Comparison, Pair, Record, compare, times
from kubetour.html.bars import Bar, bars, scale, ticks
from kubetour.html.page import Titles, rendered
from kubetour.html.words import COMPARED, both, labels, plain, told
from kubetour.settings import flag
from kubetour.text import LANGUAGES, Text

if TYPE_CHECKING:
    from markupsafe import Markup

HEIGHT = 9  # pixels of each of a step's two bars
MOST = 4_000  # characters of one text


def comparison_page(one: Record, other: Record, language: str, titles: Titles, templates: Path) -> str:
    """Return the page, which opens in that language. UsageError if its template is broken."""
    return rendered("compare.html.j2", view(one, other, titles), language, templates)


def view(one: Record, other: Record, titles: Titles) -> dict[str, Any]:
    """Return the values that the template shows, all of them harmless."""
    compared = compare(one, other)

    def title(step: str) -> Markup:
        return both({language: titles[language].get(step, step) for language in LANGUAGES})

    first, second = compared.seconds
    values = {"one": f"{first:.1f}", "other": f"{second:.1f}"}
    return {
        "w": {name: both(text) for name, text in labels(COMPARED).items()},
        "lead": both(told(Text("compare.took", values))),
        "ratio": times(compared.ratio),
        "runs": [_run(name, record) for name, record in (("A", one), ("B", other))],
        "times": _times(compared, title),
        "settings": [
            {"name": flag(setting.name), "runs": list(zip(setting.values, setting.origins, strict=True))}
            for setting in compared.settings
        ],
        "alone": [[title(step) for step in steps] for steps in compared.alone],
        "differences": [_difference(pair, title) for pair in compared.steps if pair.differs],
    }


def _run(name: str, record: Record) -> dict[str, Any]:
    steps = record["steps"]
    planned = max(len(record.get("planned", ())), len(steps))
    known = {"proved": sum(step["ok"] for step in steps), "planned": planned}
    machine = record.get("machine") or {}
    return {
        "name": name,
        "ok": record["ok"],
        "verdict": both(told(Text("report.proved", known))),
        "began": plain(record["began"]),
        "provider": record["provider"],
        "machine": f"{machine.get('system', '–')} {machine.get('machine', '')}",
        "seconds": record["seconds"],
        "count": sum(len(step["commands"]) + len(step["confirm"]) for step in steps),
    }


def _times(compared: Comparison, title: Any) -> dict[str, Any]:
    most = (
        max((seconds for pair in compared.steps for seconds in pair.seconds if seconds), default=0.0) or 1.0
    )
    marks = ticks(most)
    rows = [
        {
            "id": pair.step,
            "title": title(pair.step),
            "bars": list(_two(pair, most, marks)),
            "runs": [
                ("–" if seconds is None else f"{seconds:.2f}", ok)
                for seconds, ok in zip(pair.seconds, pair.ok, strict=True)
            ],
            "ratio": times(pair.ratio),
            "differs": pair.differs,
        }
        for pair in compared.steps
    ]
    return {"scale": scale(most, marks, "s"), "rows": rows}


def _two(pair: Pair, most: float, marks: tuple[float, ...]) -> Iterator[Markup]:
    for seconds, kind in zip(pair.seconds, ("first", "second"), strict=True):
        yield bars((Bar(0, seconds, kind, 1),) if seconds is not None else (), most, HEIGHT, marks)


def _difference(pair: Pair, title: Any) -> dict[str, Any]:
    return {
        "id": pair.step,
        "title": title(pair.step),
        "ok": pair.ok,
        "only": [[plain(text[:MOST]) for text in texts] for texts in pair.only],
        "found": [plain(text[:MOST]) for text in pair.found or ()],
    }
