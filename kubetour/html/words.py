"""Texts in both languages at once: the page holds each, and shows the one that was chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kubetour.terminal.console import harmless
from kubetour.text import LANGUAGES, Text, tell

if TYPE_CHECKING:
    from markupsafe import Markup

Told = Mapping[str, str]  # a text by language

LABELS = (
    Text("report.title"),
    Text("report.skip"),
    Text("report.language"),
    Text("report.theme"),
    Text("report.expand"),
    Text("report.collapse"),
    Text("report.nothing"),
    Text("report.provider"),
    Text("report.began"),
    Text("report.took"),
    Text("report.commands"),
    Text("report.replicas"),
    Text("report.predictions"),
    Text("report.predicted"),
    Text("report.chosen"),
    Text("report.right"),
    Text("report.machine"),
    Text("report.wrong"),
    Text("report.fix"),
    Text("report.evidence"),
    Text("report.diagnosis"),
    Text("report.timeline"),
    Text("report.timeline-caption"),
    Text("report.legend-command"),
    Text("report.legend-proof"),
    Text("report.legend-early"),
    Text("report.pictures"),
    Text("report.structure"),
    Text("report.answers"),
    Text("report.nodes"),
    Text("report.nodes-caption"),
    Text("report.layers"),
    Text("report.layers-caption"),
    Text("report.steps"),
    Text("report.no-output"),
    Text("report.errors"),
    Text("report.confirm"),
    Text("report.copy"),
    Text("report.copied"),
    Text("report.not-reached"),
    Text("report.settings"),
    Text("report.footer"),
    Text("doctor.setting"),
    Text("doctor.value"),
    Text("doctor.source"),
    Text("tour.already"),
)


def labels() -> dict[str, Told]:
    """Return the page's fixed texts by the last part of their key."""
    return {text.key.rpartition(".")[2]: told(text) for text in LABELS}


def told(text: Text) -> Told:
    """Return a Text in each language."""
    return {language: tell(language, text) for language in LANGUAGES}


def both(texts: Told, element: str = "span", attributes: str = "") -> Markup:
    """Return HTML that holds a text in each language, or once if they are the same.

    `attributes` stand in each element; they must be harmless already.
    """
    from markupsafe import Markup, escape

    shown = {language: escape(plain(text)) for language, text in texts.items()}
    if len(set(shown.values())) == 1:
        only = next(iter(shown.values()))
        return Markup(f"<{element}{attributes}>{only}</{element}>") if attributes else only  # noqa: S704
    return Markup("").join(
        Markup(f'<{element}{attributes} lang="{language}">{text}</{element}>')  # noqa: S704
        for language, text in shown.items()
    )


def plain(text: str) -> str:
    """Return text of several lines without what a terminal would obey, or what would turn a line round."""
    return "\n".join(map(harmless, text.splitlines()))


def across(documents: Mapping[str, Any], read: Callable[[Any], str]) -> Told:
    """Return what `read` finds in the record of each language."""
    return {language: read(document) for language, document in documents.items()}
