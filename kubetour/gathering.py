"""`inv class`: the reports of many, in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from kubetour.classroom import Classroom, Student, gather
from kubetour.errors import KubetourError, UsageError
from kubetour.handedin import Broken, read
from kubetour.html import classroom as writing
from kubetour.project import TEMPLATES, caller
from kubetour.settled import settled
from kubetour.terminal import console as consoles
from kubetour.text import Text, say, tell

if TYPE_CHECKING:
    from invoke.context import Context
    from rich.console import Console

KINDS = (".html", ".csv", ".json")


def classroom(c: Context, flags: Mapping[str, Any], reports: Sequence[str], output: str) -> None:
    """Print the table, and write it where that is asked for; KubetourError if no report could be read."""
    here = caller()
    with settled(c, {**flags, "host": ""}) as (_, resolved, state):
        language = resolved.settings.language
        if output and not output.endswith(KINDS):
            raise UsageError("class-output", output=output, known=", ".join(KINDS))
        handed, broken = read(reports, here)
        room = gather(handed)
        out = consoles.make()
        if handed:
            _show(out, room, language)
        for each in broken:
            values = {"file": str(each.path), "why": each.why}
            out.print(consoles.harmless(tell(language, Text("class.no", values))), soft_wrap=True)
        if output:
            path = here / output
            state.write(path, _written(path, room, broken, language))
            out.print(say(language, "class.written", path=str(path)), soft_wrap=True)
        if not handed:
            raise KubetourError("class-none", count=len(broken))


def _written(path: Path, room: Classroom, broken: Sequence[Broken], language: str) -> str:
    if path.suffix == ".csv":
        return writing.as_csv(room)
    if path.suffix == ".json":
        return writing.as_json(room, broken, language)
    return writing.page(room, broken, language, TEMPLATES)


def _show(out: Console, room: Classroom, language: str) -> None:
    def column(key: str) -> str:
        return say(language, key)

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column(column("class.student"), overflow="fold", min_width=8)
    table.add_column(column("class.proofs"), no_wrap=True)
    table.add_column(column("class.stopped"), overflow="fold", ratio=1)
    table.add_column(column("report.took"), justify="right", no_wrap=True)
    table.add_column(column("class.predictions"), no_wrap=True)
    table.add_column(column("report.provider"), no_wrap=True)
    for student in room.students:
        table.add_row(*_row(student))
    out.print(table)
    out.print()
    steps = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for key in ("report.steps", "class.reached", "class.median"):
        steps.add_column(column(key), overflow="fold")
    for step in room.steps:
        seconds = "–" if step.seconds is None else f"{step.seconds:.2f} s"
        steps.add_row(step.step, f"{step.proved}/{step.planned}", seconds)
    out.print(steps)
    out.print()
    out.print(tell(language, writing.summary(room)), soft_wrap=True)


def _row(student: Student) -> tuple[str, ...]:
    many = f" ×{student.reports}" if student.reports > 1 else ""
    mark = "✗" if student.stopped else "✓"
    return (
        student.name + many,
        f"{mark} {student.proved}/{student.planned}",
        ": ".join(filter(None, (student.stopped, student.why))),
        f"{student.seconds:.1f} s",
        f"{student.right}/{student.asked}" if student.asked else "–",
        student.provider,
    )
