"""report.xml: a run as JUnit XML, for CI and for classes: a test case for each step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any

from kubetour.html.words import plain

# What XML 1.0 cannot hold, even escaped: https://www.w3.org/TR/xml/#charsets
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(document: Mapping[str, Any]) -> str:
    """Return a run's record as JUnit XML; steps that were planned and not reached are skipped ones."""
    steps = document["steps"]
    suite = f"kubetour.{document['provider']}"
    missed = document["planned"][len(steps) :]
    cases = [_case(step, suite) for step in steps]
    cases += [
        f"<testcase{_attributes(classname=suite, name=step, time=0)}><skipped/></testcase>" for step in missed
    ]
    attributes = _attributes(
        name=suite,
        tests=len(cases),
        failures=sum(not step["ok"] for step in steps),
        errors=0,
        skipped=len(missed),
        time=document["seconds"],
        timestamp=document["began"].rstrip("Z"),
    )
    body = "\n".join(cases)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuite{attributes}>\n{body}\n</testsuite>\n'


def _case(step: Mapping[str, Any], suite: str) -> str:
    parts = []
    if error := step["error"]:
        lines = (error["cause"], error["fix"], *error["diagnosis"], error["evidence"])
        known = " ".join(filter(None, (error["code"], error["key"])))
        attributes = _attributes(type=known, message=error["cause"])
        parts.append(f"<failure{attributes}>{_text(chr(10).join(filter(None, lines)))}</failure>")
    proof = step["proof"]
    said = [f"$ {command['text']}" for command in (*step["commands"], *step["confirm"])]
    said += [proof["text"], *proof["notes"]] if proof else []
    parts.append(f"<system-out>{_text(chr(10).join(said))}</system-out>")
    attributes = _attributes(classname=suite, name=step["step"], time=step["seconds"])
    return f"<testcase{attributes}>{''.join(parts)}</testcase>"


def _attributes(**values: Any) -> str:
    return "".join(f' {name}="{_text(str(value))}"' for name, value in values.items())


def _text(text: str) -> str:
    return escape(_NO_CHARACTER.sub("", plain(text)))
