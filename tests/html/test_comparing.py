"""The page of two runs: as harmless as a report, in both languages, with all that differs."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

import pytest

from kubetour.html.comparing import comparison_page
from kubetour.html.words import COMPARED, both
from kubetour.project import TEMPLATES
from kubetour.text import LANGUAGES, tell
from tests.html import sample
from tests.html.test_page import ALLOWED, TITLES, Parsed


def two() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return two records: a run that failed with hostile output, and one that went otherwise."""
    one = deepcopy(sample.documents(sample.failed())["en"])
    other = deepcopy(one)
    other["steps"][0]["commands"][0]["text"] = sample.HOSTILE
    other["steps"][1]["proof"]["text"] = sample.HOSTILE
    other["settings"]["replicas"] = sample.HOSTILE
    del other["steps"][-1], one["steps"][2]
    return one, other


def rendered(language: str = "en") -> str:
    return comparison_page(*two(), language, TITLES, TEMPLATES)


def test_nothing_that_an_app_printed_can_load_or_run() -> None:
    found = Parsed(rendered())
    names = [name for name, _ in found.elements]
    assert {name: names.count(name) for name in ALLOWED} == ALLOWED
    assert not {key for _, given in found.elements for key in given if key.startswith("on") or key == "src"}
    assert "<script>alert(1)</script>" in "".join(found.texts)


def test_every_fixed_text_is_there_in_both_languages() -> None:
    same = comparison_page(two()[0], two()[0], "en", TITLES, TEMPLATES)
    for language in LANGUAGES:
        missing = [
            text.key for text in COMPARED if str(both({"": tell(language, text)})) not in rendered() + same
        ]
        assert missing == []


def test_steps_that_only_one_run_has_are_named_together() -> None:
    text = rendered()
    (first, second) = re.findall(r'<div class="card alone">.*?<ul>(.*?)</ul>', text, re.DOTALL)
    assert (first, second) == ("<li>hit</li>", "<li>create-cluster</li>")


def test_every_link_leads_to_what_differs() -> None:
    found = Parsed(rendered())
    names = {given["id"] for _, given in found.elements if "id" in given}
    links = {given["href"] for tag, given in found.elements if tag == "a"}
    assert links == {"#steps", "#step-build", "#step-layers"}
    assert links <= {f"#{name}" for name in names}


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_opens_in_the_language_asked_for(language: str) -> None:
    assert f'<html lang="{language}">' in rendered(language)
