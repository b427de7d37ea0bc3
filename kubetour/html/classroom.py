"""A class as a page, as CSV and as JSON: what is in the table, for people and for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from kubetour.classroom import Classroom, Student
from kubetour.handedin import Broken
from kubetour.html.page import rendered
from kubetour.html.words import both, plain, told
from kubetour.text import Text, tell

VERSION = 1  # of the JSON form; it grows when a field is removed or means something else
LABELS = {
    "title": Text("class.title"),
    "student": Text("class.student"),
    "proofs": Text("class.proofs"),
    "stopped": Text("class.stopped"),
    "took": Text("report.took"),
    "predictions": Text("class.predictions"),
    "provider": Text("report.provider"),
    "version": Text("class.version"),
    "began": Text("report.began"),
    "steps": Text("report.steps"),
    "reached": Text("class.reached"),
    "median": Text("class.median"),
    "broken": Text("class.broken"),
    "file": Text("class.file"),
    "why": Text("class.why"),
    "language": Text("report.language"),
    "theme": Text("report.theme"),
}


def page(classroom: Classroom, broken: Sequence[Broken], language: str, templates: Path) -> str:
    """Return the page, which opens in that language. UsageError if its template is broken."""
    values = {
        "w": {name: both(told(text)) for name, text in LABELS.items()},
        "summary": both(told(summary(classroom))),
        "room": classroom,
        "broken": [(plain(str(each.path)), both(told(each.why))) for each in broken],
    }
    return rendered("class.html.j2", values, language, templates)


def summary(classroom: Classroom) -> Text:
    """Return the line that says how the class did."""
    right, asked = classroom.predictions
    values = {"students": len(classroom.students), "finished": classroom.finished}
    times = {"median": f"{classroom.median:.0f}", "right": right, "asked": asked}
    return Text("class.summary", {**values, **times})


def as_csv(classroom: Classroom) -> str:
    """Return the students as CSV; a spreadsheet must not take a name for a formula.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(Student.__dataclass_fields__)
    for student in classroom.students:
        values = asdict(student).values()
        writer.writerow(
            [f"'{value}" if str(value).startswith(("=", "+", "-", "@")) else value for value in values]
        )
    return out.getvalue()


def as_json(classroom: Classroom, broken: Sequence[Broken], language: str) -> str:
    """Return all of it as JSON."""
    right, asked = classroom.predictions
    document = {
        "version": VERSION,
        "students": [asdict(each) for each in classroom.students],
        "steps": [asdict(each) for each in classroom.steps],
        "totals": {
            "students": len(classroom.students),
            "finished": classroom.finished,
            "median": classroom.median,
            "right": right,
            "asked": asked,
        },
        "broken": [{"file": str(each.path), "why": tell(language, each.why)} for each in broken],
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"
