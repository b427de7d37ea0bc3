"""Texts in both languages at once: the page holds each, and shows the one that was chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from kubetour.terminal.console import harmless
from kubetour.text import LANGUAGES, Text, tell

if TYPE_CHECKING:
    from markupsafe import Markup

Told = Mapping[str, str]  # a text by language

PAGE = (Text("report.skip"), Text("report.language"), Text("report.theme"))  # of every page
LABELS = (
    *PAGE,
    Text("report.title"),
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
    Text("report.claims"),
    Text("report.claims-caption"),
    Text("report.claim"),
    Text("report.verdict"),
    Text("report.measured"),
    Text("report.holds"),
    Text("report.broken"),
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
    Text("report.phases"),
    Text("report.phases-caption"),
    Text("report.until-scheduled"),
    Text("report.until-pulled"),
    Text("report.until-started"),
    Text("report.until-ready"),
    Text("report.until-endpoint"),
    Text("report.milliseconds"),
    Text("report.phase-created"),
    Text("report.phase-scheduled"),
    Text("report.phase-pulled"),
    Text("report.phase-started"),
    Text("report.phase-ready"),
    Text("report.phase-endpoint"),
    Text("report.load"),
    Text("report.load-ok"),
    Text("report.load-failed"),
    Text("report.load-marks"),
    Text("report.load-failures"),
    Text("report.load-shares"),
    Text("report.node"),
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

COMPARED = (
    *PAGE,
    Text("compare.title"),
    Text("compare.times"),
    Text("compare.times-caption"),
    Text("compare.settings"),
    Text("compare.same-settings"),
    Text("compare.differences"),
    Text("compare.no-differences"),
    Text("compare.only-first"),
    Text("compare.only-second"),
    Text("compare.commands-first"),
    Text("compare.commands-second"),
    Text("compare.footer"),
    Text("report.provider"),
    Text("report.began"),
    Text("report.took"),
    Text("report.commands"),
    Text("report.machine"),
    Text("report.verdict"),
    Text("report.steps"),
    Text("doctor.setting"),
    Text("doctor.source"),
)


def labels(texts: Iterable[Text]) -> dict[str, Told]:
    """Return a page's fixed texts by the last part of their key."""
    return {text.key.rpartition(".")[2]: told(text) for text in texts}


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
