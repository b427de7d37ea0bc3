"""The verdict on each claim: every step that tries it must have been proved."""

from __future__ import annotations

from typing import Any

from kubetour.html.verdicts import verdicts
from kubetour.html.words import both, told
from kubetour.text import Text
from tests.html import sample

STATEMENTS = {name: both(told(Text(f"claim.{name}"))) for name in ("spread", "nothing-lost")}


def rows(documents: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return verdicts(documents, lambda step: step.upper())  # type: ignore[arg-type,return-value]


def test_each_claim_has_its_statement_what_was_measured_and_its_step() -> None:
    held, broken = rows(sample.documents(sample.failed()))
    proof = both(told(Text("proof.scaled", {"declared": 3, "ready": 3})))
    assert held == {"claim": STATEMENTS["spread"], "ok": True, "steps": [("hit-all", "HIT-ALL", proof)]}
    assert (broken["claim"], broken["ok"]) == (STATEMENTS["nothing-lost"], False)
    ((_, _, measured),) = broken["steps"]
    assert "&lt;script&gt;" in measured


def test_a_claim_of_several_steps_holds_only_if_all_of_them_were_proved() -> None:
    documents = sample.documents(sample.failed())
    for document in documents.values():
        for step in document["steps"][-2:]:
            step["claim"] = "scaling"
    claims = {row["steps"][0][0]: row for row in rows(documents)}
    assert [step for step, *_ in claims["pods"]["steps"]] == ["pods", "hit"]
    assert not claims["pods"]["ok"]


def test_a_claim_that_is_not_known_here_is_shown_by_its_id() -> None:
    documents = sample.documents()
    for document in documents.values():
        document["steps"][0]["claim"] = "of-another-version"
    assert rows(documents)[0]["claim"] == "of-another-version"


def test_a_run_of_an_older_version_claims_nothing() -> None:
    documents = sample.documents()
    for document in documents.values():
        for step in document["steps"]:
            del step["claim"]
    assert rows(documents) == []
