"""Commands as the page shows them: bounded, and what was run again and again shown once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kubetour.html.words import both, plain, told
from kubetour.text import Text

MOST = 20_000  # characters of one output; report.json has more
MOST_COMMANDS = 30  # of one step


def commands(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what is shown of a step's commands; of the same one several times running, the last."""
    runs: list[tuple[Mapping[str, Any], int]] = []
    for record in records:
        if runs and runs[-1][0]["text"] == record["text"]:
            runs[-1] = (record, runs[-1][1] + 1)
        else:
            runs.append((record, 1))
    shown = [_command(record, times) for record, times in runs[-MOST_COMMANDS:]]
    if left := len(runs) - len(shown):
        shown[0]["earlier"] = both(told(Text("report.earlier", {"count": left})))
    return shown


def _command(record: Mapping[str, Any], times: int) -> dict[str, Any]:
    stdout, stderr = (plain(record[stream].rstrip()) for stream in ("stdout", "stderr"))
    lines = len(stdout.splitlines()) + len(stderr.splitlines())
    cut = sum(max(len(text) - MOST, 0) for text in (stdout, stderr))
    one = Text("report.output-one") if lines == 1 else Text("report.output", {"lines": lines})
    status = record["status"]
    return {
        "earlier": "",
        "text": plain(record["text"]),
        "seconds": record["seconds"],
        "status": both(told(Text("report.status", {"status": status}))) if status else "",
        "stdout": stdout[:MOST],
        "stderr": stderr[:MOST],
        "summary": both(told(one)) if lines else "",
        "cut": both(told(Text("report.cut", {"count": cut}))) if cut else "",
        "repeated": both(told(Text("report.repeated", {"times": times}))) if times > 1 else "",
    }
