"""The lessons: their parser, and what holds for the real files in both languages."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path
from string import Template

import pytest
import yaml
from rich.cells import cell_len
from rich.console import Console

from kubetour.chapters.image_experiments.making import leftovers
from kubetour.errors import UsageError
from kubetour.lessons import KINDS, PLACEHOLDERS, Lesson, load, parse
from kubetour.plan import clean_up, whole
from kubetour.project import LESSONS
from kubetour.questions import LETTERS, Question
from kubetour.terminal.prose import print_prose
from kubetour.terminal.questions import print_answer, print_question
from kubetour.text import LANGUAGES, tell
from tests.making import CONTEXT, TOOLS, make_provider

PROVIDERS = ("kind", "minikube", "embedded", "context")
VALUES: dict[str, object] = {
    "image": "node-hostname:0123456789ab",
    "name": "node-hostname",
    "replicas": 3,
    "port": 8080,
    "provider": "minikube",
    "cluster": "kubetour",
    "nodes": 3,
    "requests": 37,
}
SCREEN = 24  # lines of 80 columns

TEXT = """---
sources: {}
---
## app | The app

For all: $name.

[kind]
For kind.

? Which of
the two?
- [ ] this,
      or so
- [x] $name

! That
one.

[kind]
! So it is.

## build | Build it
Text.
"""


def test_sections_paragraphs_and_markers_are_read() -> None:
    lessons = parse(TEXT)
    assert list(lessons) == ["app", "build"]
    app = lessons["app"]
    assert (app.id, app.title, app.line) == ("app", "The app", 4)
    assert app.paragraphs == (("", "For all: $name."), ("kind", "For kind."))
    assert app.text("kind", {"name": "web"}) == "For all: web.\n\nFor kind."
    assert app.text("embedded", {"name": "web"}) == "For all: web."
    assert lessons["build"].question("kind", {}) is None


@pytest.mark.parametrize(("provider", "answer"), [("embedded", "That one."), ("kind", "That one. So it is.")])
def test_a_question_has_its_values_in_place_and_the_answer_of_its_provider(
    provider: str, answer: str
) -> None:
    asked = parse(TEXT)["app"].question(provider, {"name": "web"})
    assert asked == Question("Which of the two?", ("this, or so", "web"), 1, answer)


ASKS = "? Which?\n- [x] a\n- [ ] b\n"


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        pytest.param("? Which?\n- [x] a", 2, "1", id="one option"),
        pytest.param("? Which?\n" + "- [ ] a\n" * 5, 2, "5", id="five options"),
        pytest.param("? Which?\n- [ ] a\n- [ ] b", 2, "0", id="none right"),
        pytest.param("Text.\n\n? Which?\n- [x] a\n- [x] b", 4, "2", id="two right"),
        pytest.param("? Which?\n- [X] a\n- [ ] b", 2, "- [x] ", id="another mark"),
        pytest.param("? Which?\n- a\n- [x] b", 2, "- [ ] ", id="no mark"),
        pytest.param(ASKS, 1, "! ", id="no answer"),
        pytest.param("! So.", 1, "? ", id="no question"),
        pytest.param(f"[kind]\n{ASKS}\n! So.", 1, "minikube", id="an answer for more than the question"),
        pytest.param(f"{ASKS}\n{ASKS}\n! So.", 1, "kind", id="two questions"),
        pytest.param(f"{ASKS}\n! That.\n\n[kind]\nMore.", 8, "! ", id="prose after the answer"),
        pytest.param("For $nme.", 2, "$nme", id="unknown placeholder"),
        pytest.param("It costs 5 $ now.", 2, "$$", id="a dollar sign"),
        pytest.param("? How many $pods?\n- [x] a\n- [ ] b", 2, "$pods", id="placeholder in a question"),
        pytest.param("[knd]\nText.", 2, "[knd]", id="unknown provider"),
        pytest.param("[kind]\n\nText.", 2, "[kind]", id="a marker alone"),
        pytest.param("Text.\n## app | Again", 3, "app", id="twice"),
        pytest.param("Text.\n\n## Build it", 4, "## step-id | Title", id="no heading of ours"),
        pytest.param("Text.\n\n## build |", 4, "## step-id | Title", id="no title"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_not_of_the_form_is_told_with_its_line(
    body: str, line: int, said: str, language: str
) -> None:
    with pytest.raises(UsageError) as caught:
        parse(f"## app | The app\n{body}\n", "mine/en.md")
    assert caught.value.key == "lessons-form"
    assert (caught.value.values["file"], caught.value.values["line"]) == ("mine/en.md", line)
    assert said in tell(language, caught.value.values["reason"])


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
        left = leftovers(provider, ("docker-container/web",), ())
        steps = (*whole(provider, CONTEXT), *left, *clean_up(provider, ("web:1",)), *provider.leftovers())
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
        one, other = ([kinds(parts) for parts in (each.paragraphs, each.answers)] for each in pair)
        assert one == other, name
        english_values, chinese_values = (sorted(placeholders(body(each))) for each in pair)
        assert english_values == chinese_values, name


def kinds(parts: tuple[tuple[str, str], ...]) -> list[str]:
    return sorted(only for only, _ in parts if only)


def body(lesson: Lesson) -> str:
    """Return all text of a lesson, its questions and answers, too."""
    asked = [part for _, each in lesson.questions for part in (each.text, *each.options)]
    return "\n\n".join([text for _, text in (*lesson.paragraphs, *lesson.answers)] + asked)


def placeholders(text: str) -> set[str]:
    """Return the names in a template; Template tells them itself only from Python 3.11 on."""
    return {found["named"] or found["braced"] or "" for found in Template.pattern.finditer(text)}


@pytest.fixture(params=["en", "zh"])
def told(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_marker_is_a_provider_and_there_is_a_value_for_every_placeholder() -> None:
    assert set(KINDS) == set(PROVIDERS)
    assert set(VALUES) == set(PLACEHOLDERS)


def test_no_lesson_repeats_a_command_which_only_the_plan_knows(told: str) -> None:
    for lesson in real(told).values():
        for span in re.findall(r"`([^`]+)`", body(lesson)):
            assert not re.match(r"(docker|kind|minikube|kubectl|curl|python|inv|\./inv) ", span), (
                lesson.id,
                span,
            )


@pytest.mark.parametrize("kind", PROVIDERS)
def test_every_lesson_fits_on_a_screen_with_its_question_and_so_does_its_answer(told: str, kind: str) -> None:
    for lesson in real(told).values():
        console = make_console()
        print_prose(console, lesson.text(kind, VALUES))
        console.print()
        asked = lesson.question(kind, VALUES)
        assert asked, lesson.id
        print_question(console, told, asked)
        lines = printed(console)
        assert len(lines) <= SCREEN, lesson.id
        assert max(map(cell_len, lines)) <= 80, lesson.id
        console = make_console()
        print_answer(console, told, asked, None)
        assert len(printed(console)) <= SCREEN // 3, lesson.id


def make_console() -> Console:
    return Console(file=io.StringIO(), width=80, force_terminal=False, highlight=False, markup=False)


def printed(console: Console) -> list[str]:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_every_step_has_a_question_that_is_the_same_in_both_languages() -> None:
    english, chinese = real("en"), real("zh")
    for name, lesson in english.items():
        for kind in PROVIDERS:
            pair = [each.question(kind, VALUES) for each in (lesson, chinese[name])]
            assert pair[0], name
            assert pair[1], name
            assert pair[0].like(pair[1]), name
            assert all(each and each.text[-1] in "?？" and each.answer for each in pair), name


@pytest.mark.parametrize("kind", PROVIDERS)
def test_no_letter_is_right_more_often_than_every_other_time(kind: str) -> None:
    rights = [
        LETTERS[asked.right] for lesson in real("en").values() if (asked := lesson.question(kind, VALUES))
    ]
    assert max(map(rights.count, LETTERS)) <= len(rights) / 2


def test_every_lesson_has_sources(told: str) -> None:
    head = yaml.safe_load((LESSONS / f"{told}.md").read_text(encoding="utf-8").split("---")[1])
    assert set(head["sources"]) == set(real(told))
    for urls in head["sources"].values():
        assert urls
        assert all(url.startswith("https://") for url in urls)
