"""The page as text: complete, in both languages, escaped, and allowed to run nothing but its own."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from kubetour.errors import UsageError
from kubetour.html.page import digest, page
from kubetour.html.words import LABELS, both
from kubetour.project import TEMPLATES
from kubetour.text import LANGUAGES, tell
from tests.html import sample

TITLES = {"en": {"build": "Build <it>"}, "zh": {"build": "构建<它>"}}
ALLOWED = {"script": 1, "style": 1, "img": 0, "iframe": 0, "link": 0, "object": 0, "base": 0, "form": 0}


class Parsed(HTMLParser):
    """The elements and the visible text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def rendered(
    *more: Any, planned: tuple[str, ...] = (), language: str = "en", templates: Path = TEMPLATES
) -> str:
    return page(sample.documents(*more, planned=planned), language, TITLES, templates)


def test_it_has_no_element_that_could_load_or_run_anything_else_whatever_an_app_prints() -> None:
    found = Parsed(rendered(sample.failed()))
    names = [name for name, _ in found.elements]
    assert {name: names.count(name) for name in ALLOWED} == ALLOWED
    attributes = {key for _, given in found.elements for key in given}
    assert not {
        key for key in attributes if key.startswith("on") or key in ("src", "style", "srcset", "action")
    }
    links = {given.get("href") or "" for _, given in found.elements if "href" in given}
    assert all(link.startswith("#") for link in links)
    assert "<script>alert(1)</script>" in "".join(found.texts)
    assert "{{ 7*7 }}" in "".join(found.texts)


def test_control_characters_and_direction_overrides_are_gone() -> None:
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\ud800-\udfff]", rendered(sample.failed()))


def test_the_policy_allows_exactly_this_style_and_this_script() -> None:
    text = rendered()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert policy == (
        f"default-src 'none'; style-src '{digest(style)}'; script-src '{digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_opens_in_the_language_of_the_run_and_holds_both(language: str) -> None:
    text = rendered(sample.failed(), language=language)
    assert f'<html lang="{language}">' in text
    words = "".join(Parsed(text).texts)
    for other in LANGUAGES:
        document = sample.documents(sample.failed())[other]
        assert document["steps"][0]["proof"]["text"] in words
        assert document["steps"][0]["proof"]["notes"][0] in words
        assert document["steps"][-1]["error"]["fix"] in words
        assert document["steps"][-1]["error"]["code"] == "KT501"
        assert "KT501" in words
        assert TITLES[other]["build"] in words


def test_every_fixed_text_is_on_the_page() -> None:
    source = "".join(
        (TEMPLATES / name).read_text(encoding="utf-8") for name in ("page.html.j2", "report.html.j2")
    )
    assert [text.key for text in LABELS if f'w["{text.key.rpartition(".")[2]}"]' not in source] == []
    text = rendered(sample.failed(), planned=("later",))
    only_without_steps = "report.nothing"
    for language in LANGUAGES:
        missing = [label.key for label in LABELS if str(both({"": tell(language, label)})) not in text]
        assert missing == [only_without_steps]


def test_every_step_and_every_picture_is_there_and_no_name_twice() -> None:
    found = Parsed(rendered(sample.failed(), planned=("later",)))
    names = [given["id"] for _, given in found.elements if "id" in given]
    assert len(names) == len(set(names))
    wanted = {
        "summary",
        "wrong",
        "claims",
        "timeline",
        "pictures",
        "phases-pods",
        "load-hit-all",
        "structure",
        "answers",
        "nodes",
        "layers",
        "steps",
        "settings",
    }
    assert wanted | {"step-build", "step-hit"} <= set(names)
    pointed = {given["href"] for tag, given in found.elements if tag == "a"}
    pointed |= {f"#{given['aria-labelledby']}" for _, given in found.elements if "aria-labelledby" in given}
    assert pointed <= {f"#{name}" for name in names}


def test_predictions_are_shown_with_what_was_right_and_the_score() -> None:
    text = rendered()
    assert "1 of 2 right" in text
    (wrong, right) = re.findall(r'<div class="prediction (?:bad|good)">.*?</div>', text, re.DOTALL)
    for told in ("Will it build twice?", "会构建两次吗？", "No &lt;b&gt;", "不会 &lt;b&gt;"):
        assert told in wrong
    first, second = re.findall(r"<li.*?</li>", wrong)
    assert "your prediction" in first
    assert "your prediction" not in second
    assert second.startswith('<li class="right">')
    assert "How many layers?" in right
    assert "三层" not in right  # the other language asks something else: it shows what was asked
    assert right.count("your prediction") == 1


def test_without_predictions_there_is_no_score() -> None:
    documents = sample.documents()
    for document in documents.values():
        for each in document["steps"]:
            each["prediction"] = None
    text = page(documents, "en", TITLES, TEMPLATES)
    assert "prediction" not in Parsed(text).texts
    assert '<div class="prediction' not in text
    assert "of 2 right" not in text


def test_what_was_not_proved_is_not_drawn() -> None:
    documents = sample.documents()
    for document in documents.values():
        document["steps"] = document["steps"][:1]
    text = page(documents, "en", TITLES, TEMPLATES)
    assert 'id="pictures"' not in text
    assert "1 of 6 steps proved" in text


def test_an_interrupted_run_of_which_nothing_is_known_has_a_page_too() -> None:
    documents = sample.documents()
    for document in documents.values():
        document.update(steps=[], planned=[], ok=False)
    assert "No step was run" in page(documents, "en", TITLES, TEMPLATES)


def test_a_megabyte_of_output_does_not_make_a_page_of_a_megabyte() -> None:
    documents = sample.documents()
    for document in documents.values():
        document["steps"][0]["commands"][0]["stdout"] = "<&>" * 400_000
    assert len(page(documents, "en", TITLES, TEMPLATES)) < 300_000


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        pytest.param({"report.html.j2": "{{ no_such }}"}, "no_such", id="an unknown variable"),
        pytest.param({"report.html.j2": "{% if %}"}, "Expected", id="not a template"),
        pytest.param({"report.css": None}, "report.css", id="a file is missing"),
    ],
)
def test_a_broken_template_is_an_error_that_names_what_to_restore(
    tmp_path: Path, broken: dict[str, str | None], said: str
) -> None:
    for name in ("page.html.j2", "report.html.j2", "report.css", "report.js"):
        text = broken.get(name, (TEMPLATES / name).read_text(encoding="utf-8"))
        if text is not None:
            (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        rendered(templates=tmp_path)
    assert said in caught.value.explain("en")[0]
    assert "git checkout -- templates" in caught.value.explain("zh")[1]
