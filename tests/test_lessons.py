"""The lessons: their parser, and what holds for the real files in both languages."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from string import Template

import pytest
import yaml

from kubetour.errors import UsageError
from kubetour.lessons import Lesson, load, parse
from kubetour.plan import clean_up, whole
from kubetour.project import LESSONS
from tests.making import CONTEXT, TOOLS, make_provider

PROVIDERS = ("kind", "minikube", "embedded", "context")
VALUES = dict.fromkeys(("image", "name", "replicas", "port", "provider", "cluster", "nodes", "requests"), "x")
SCREEN = 40  # lines of 80 columns

TEXT = """---
sources: {}
---
## app | The app

For all: $name.

[kind]
For kind.

## build | Build it
Text.
"""


def test_sections_paragraphs_and_markers_are_read() -> None:
    lessons = parse(TEXT)
    assert list(lessons) == ["app", "build"]
    assert lessons["app"] == Lesson("app", "The app", (("", "For all: $name."), ("kind", "For kind.")))
    assert lessons["app"].text("kind", {"name": "web"}) == "For all: web.\n\nFor kind."
    assert lessons["app"].text("embedded", {"name": "web"}) == "For all: web."


def test_a_text_without_sections_has_no_lessons() -> None:
    assert parse("") == {}


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "en.md").write_bytes(b"\xff")
    for path in (tmp_path / "en.md", tmp_path / "absent.md"):
        with pytest.raises(UsageError) as caught:
            load(path)
        assert caught.value.key == "lessons-unreadable"


def real(language: str) -> dict[str, Lesson]:
    return load(LESSONS / f"{language}.md")


def planned() -> set[str]:
    found: set[str] = set()
    grows = replace(TOOLS["minikube"], machines=("kubetour",))
    for provider in (*map(make_provider, PROVIDERS), make_provider("minikube", tools=grows)):
        steps = (*whole(provider, CONTEXT), *clean_up(provider, ("web:1",)), *provider.leftovers())
        found |= {step.id for step in steps}
    return found


def test_both_languages_have_the_same_lessons_in_the_same_order() -> None:
    assert list(real("en")) == list(real("zh"))


def test_there_is_a_lesson_for_every_step_and_for_nothing_else() -> None:
    assert set(real("en")) == planned()


@pytest.mark.parametrize("kind", PROVIDERS)
def test_the_lessons_come_in_the_plans_order(kind: str) -> None:
    ids = [step.id for step in whole(make_provider(kind), CONTEXT)]
    assert [name for name in real("en") if name in ids] == ids


def test_both_languages_have_the_same_placeholders_and_markers() -> None:
    english, chinese = real("en"), real("zh")
    for name, lesson in english.items():
        pair = lesson, chinese[name]
        one, other = (sorted(only for only, _ in each.paragraphs if only) for each in pair)
        assert one == other, name
        one, other = (sorted(placeholders(body(each))) for each in pair)
        assert one == other, name


def body(lesson: Lesson) -> str:
    return "\n\n".join(text for _, text in lesson.paragraphs)


def placeholders(text: str) -> set[str]:
    """Return the names in a template; Template tells them itself only from Python 3.11 on."""
    return {found["named"] or found["braced"] or "" for found in Template.pattern.finditer(text)}


@pytest.fixture(params=["en", "zh"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_placeholder_has_a_value_and_every_marker_a_provider(language: str) -> None:
    for lesson in real(language).values():
        assert {only for only, _ in lesson.paragraphs} <= {"", *PROVIDERS}, lesson.id
        for kind in PROVIDERS:
            assert "$" not in lesson.text(kind, VALUES).replace("$(", ""), lesson.id


def test_no_lesson_repeats_a_command_which_only_the_plan_knows(language: str) -> None:
    for lesson in real(language).values():
        for span in re.findall(r"`([^`]+)`", body(lesson)):
            assert not re.match(r"(docker|kind|minikube|kubectl|curl|python|inv|\./inv) ", span), (
                lesson.id,
                span,
            )


def test_every_lesson_fits_on_a_screen(language: str) -> None:
    from rich.cells import cell_len

    for lesson in real(language).values():
        for kind in PROVIDERS:
            lines = lesson.text(kind, VALUES).split("\n\n")
            assert sum(cell_len(text) // 80 + 2 for text in lines) <= SCREEN, lesson.id


def test_every_lesson_has_sources(language: str) -> None:
    head = yaml.safe_load((LESSONS / f"{language}.md").read_text(encoding="utf-8").split("---")[1])
    assert set(head["sources"]) == set(real(language))
    for urls in head["sources"].values():
        assert urls
        assert all(url.startswith("https://") for url in urls)
