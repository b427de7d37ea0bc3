"""The claims that a run has tried: what is claimed, the verdict, and what was measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kubetour.claims import CLAIMS
from kubetour.html.words import Told, across, both, told

if TYPE_CHECKING:
    from markupsafe import Markup


def verdicts(
    documents: Mapping[str, Mapping[str, Any]], title: Callable[[str], Markup]
) -> list[dict[str, Any]]:
    """Return a row for each claim of a run: it holds if every step that tries it was proved."""
    steps = next(iter(documents.values()))["steps"]
    indexes: dict[str, list[int]] = {}
    for index, step in enumerate(steps):
        if claim := step.get("claim"):
            indexes.setdefault(claim, []).append(index)
    rows = []
    for claim, tried in indexes.items():
        rows.append(
            {
                "claim": both(_statement(claim)),
                "ok": all(steps[index]["ok"] for index in tried),
                "steps": [
                    (steps[index]["step"], title(steps[index]["step"]), _in_each(documents, index))
                    for index in tried
                ],
            }
        )
    return rows


def _statement(claim: str) -> Told:
    return told(CLAIMS[claim].statement) if claim in CLAIMS else {"": claim}


def _in_each(documents: Mapping[str, Mapping[str, Any]], index: int) -> Markup:
    steps = {language: document["steps"][index] for language, document in documents.items()}
    return both(across(steps, _measured))


def _measured(step: Mapping[str, Any]) -> str:
    """Return what a step found: its proof, even one that does not hold, else what went wrong."""
    found: str = step["proof"]["text"] if step["proof"] else step["error"]["cause"]
    return found
