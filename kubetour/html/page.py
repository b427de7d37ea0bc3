"""The page: what the template shows, read from the record of a run in each language."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubetour.errors import UsageError
from kubetour.html import pictures, timeline
from kubetour.html.commands import commands
from kubetour.html.verdicts import verdicts
from kubetour.html.words import LABELS, Told, across, both, labels, told
from kubetour.settings import flag
from kubetour.text import LANGUAGES, Text

if TYPE_CHECKING:
    from markupsafe import Markup

Documents = Mapping[str, Mapping[str, Any]]  # the record of one run in each language
Titles = Mapping[str, Mapping[str, str]]  # each step's title, by language and id
NAMES = {"en": "English", "zh": "中文"}


def page(documents: Documents, language: str, titles: Titles, templates: Path) -> str:
    """Return report.html, which opens in that language. UsageError if its template is broken."""
    return rendered("report.html.j2", view(documents, language, titles), language, templates)


def rendered(name: str, values: Mapping[str, Any], language: str, templates: Path) -> str:
    """Return a page made from a template, with its style and script in it. UsageError if it is broken."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        style, script = (
            (templates / file).read_text(encoding="utf-8") for file in ("report.css", "report.js")
        )
        return environment.get_template(name).render(
            values,
            language=language,
            languages=[(code, NAMES[code]) for code in LANGUAGES],
            style=Markup(style),  # noqa: S704  (this project's own files)
            script=Markup(script),  # noqa: S704
            style_hash=digest(style),
            script_hash=digest(script),
        )
    except (jinja2.TemplateError, OSError) as error:
        raise UsageError("report-template", name=name, reason=str(error)) from error


def digest(text: str) -> str:
    """Return the source expression that lets exactly this text run: https://www.w3.org/TR/CSP3/#grammardef-hash-source"""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def view(documents: Documents, language: str, titles: Titles) -> dict[str, Any]:
    """Return the values that the template shows, all of them harmless."""
    document = documents[language]
    steps = document["steps"]
    planned = document["planned"]

    def title(step: str) -> Markup:
        return both({language: titles[language].get(step, step) for language in LANGUAGES})

    shown = [_step(index, documents, title) for index in range(len(steps))]
    proved = sum(step["ok"] for step in steps)
    known = {"proved": proved, "planned": max(len(planned), len(steps))}
    return {
        "w": {name: both(text) for name, text in labels(LABELS).items()},
        "run": document,
        "verdict": both(told(Text("report.proved", known))),
        "score": _score(steps),
        "took": document["seconds"] - sum(step["waited"] for step in steps),
        "count": sum(len(step["commands"]) + len(step["confirm"]) for step in steps),
        "steps": shown,
        "failed": [step for step in shown if step["error"]],
        "not_reached": [title(step) for step in planned[len(steps) :]],
        "claims": verdicts(documents, title),
        "timeline": timeline.timeline(document, title),
        "pictures": pictures.pictures(document, title),
        "settings": [
            (flag(name), "–" if value in ("", None) else value, document["origins"].get(name, ""))
            for name, value in document["settings"].items()
        ],
    }


def _step(index: int, documents: Documents, title: Any) -> dict[str, Any]:
    """Return what is shown of one step."""
    document = next(iter(documents.values()))
    step = document["steps"][index]
    steps = {language: each["steps"][index] for language, each in documents.items()}
    proof, error = step["proof"], step["error"]
    early = timeline.early(step)
    return {
        "id": step["step"],
        "number": index + 1,
        "title": title(step["step"]),
        "ok": step["ok"],
        "already": step["already"],
        "because": [both({"": text}) for text in step.get("because", ())],
        "seconds": step["seconds"],
        "early": both(told(Text("report.early", {"seconds": f"{early:.2f}"}))) if early else "",
        "commands": commands(step["commands"]),
        "confirm": commands(step["confirm"]),
        "prediction": _prediction(steps) if step["prediction"] else None,
        "proof": both(across(steps, lambda each: each["proof"]["text"])) if proof else "",
        "notes": _each(steps, lambda each: each["proof"]["notes"]) if proof else [],
        "error": error
        and {
            "where": both(told(Text("report.wrong-in", {"step": step["step"]}))),
            "code": error["code"],
            "cause": both(across(steps, lambda each: each["error"]["cause"])),
            "fix": both(across(steps, lambda each: each["error"]["fix"])),
            "evidence": both({"": error["evidence"][:4000]}),
            "diagnosis": _each(steps, lambda each: each["error"]["diagnosis"]),
        },
    }


def _score(steps: Any) -> Markup | None:
    """Return how many predictions were right, of steps that were proved; None if there was none."""
    made = [step["prediction"] for step in steps if step["prediction"] and step["ok"]]
    right = sum(prediction["correct"] for prediction in made)
    return both(told(Text("report.score", {"right": right, "count": len(made)}))) if made else None


def _prediction(steps: Mapping[str, Any]) -> dict[str, Any]:
    """Return a question and its options, each with whether it was chosen and whether it is right."""
    asked = {language: step["prediction"] for language, step in steps.items()}
    one = next(iter(asked.values()))
    options = _each(asked, lambda each: each["options"])
    return {
        "question": both(across(asked, lambda each: each["question"])),
        "correct": one["correct"],
        "options": [
            {"text": text, "chosen": index == one["chosen"], "right": index == one["right"]}
            for index, text in enumerate(options)
        ],
    }


def _each(steps: Mapping[str, Any], read: Any) -> list[Markup]:
    """Return the texts of a list that each language has, one after another."""
    lists = {language: read(step) for language, step in steps.items()}
    count = min(map(len, lists.values()))
    texts: list[Told] = [{language: items[i] for language, items in lists.items()} for i in range(count)]
    return [both(text) for text in texts]
