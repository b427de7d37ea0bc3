"""The course: our lessons, a teacher's in their places, and without the steps that they leave out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kubetour.course import Course, course
from kubetour.errors import UsageError
from kubetour.lessons import PLACEHOLDERS
from kubetour.project import LESSONS, ROOT
from kubetour.text import LANGUAGES
from tests.making import step

QUESTION = "? Which?\n- [x] $name\n- [ ] b\n\n! That.\n"


def written(directory: Path, **files: str) -> Course:
    for language, text in files.items():
        (directory / f"{language}.md").write_text(text, encoding="utf-8")
    return course(str(directory))


def test_without_a_directory_the_lessons_are_ours() -> None:
    assert course().drop == ()
    assert course().missing == {}
    assert course().titles()["en"]["scale"] == "Scale it"
    assert course(str(LESSONS)) == course()


def test_a_section_replaces_our_lesson_its_question_included(tmp_path: Path) -> None:
    found = written(tmp_path, en="## scale | More\n\nMine.\n", zh="## scale | 更多\n\n我的。\n")
    assert found.titles()["en"]["scale"] == "More"
    assert found.titles()["zh"]["scale"] == "更多"
    lesson = found.lessons["en"]["scale"]
    assert lesson.text("kind", {}) == "Mine."
    assert lesson.question("kind", {}) is None
    assert list(found.lessons["en"]) == list(course().lessons["en"])
    assert found.lessons["en"]["pods"] == course().lessons["en"]["pods"]


def test_a_section_with_a_plus_adds_to_our_lesson(tmp_path: Path) -> None:
    ours = course().lessons["en"]
    found = written(tmp_path, en=f"## pods +\n\nMine, too.\n\n## nodes +\n\n{QUESTION}").lessons["en"]
    assert found["pods"].title == ours["pods"].title
    assert found["pods"].text("kind", {}) == ours["pods"].text("kind", {}) + "\n\nMine, too."
    assert found["pods"].questions == ours["pods"].questions
    asked = found["nodes"].question("kind", {"name": "web"})
    assert asked
    assert (asked.text, asked.options, asked.answer) == ("Which?", ("web", "b"), "That.")


def test_a_language_without_a_file_falls_back_to_ours_and_says_so(tmp_path: Path) -> None:
    found = written(tmp_path, en="## scale | More\n\nMine.\n")
    assert found.lessons["zh"] == course().lessons["zh"]
    assert list(found.missing) == ["zh"]
    assert found.missing["zh"].values["file"] == f"{tmp_path}/zh.md"


def test_a_file_of_windows_editor_is_read(tmp_path: Path) -> None:
    (tmp_path / "en.md").write_bytes(
        b"\xef\xbb\xbf---\r\ndrop: [nodes]\r\n---\r\n## scale | More\r\n\r\nMine.\r\n"
    )
    found = course(str(tmp_path))
    assert found.drop == ("nodes",)
    assert found.lessons["en"]["scale"].text("kind", {}) == "Mine."


def test_steps_are_left_out_as_either_language_says(tmp_path: Path) -> None:
    found = written(tmp_path, en="---\ndrop: [nodes, pods]\n---\n", zh="---\ndrop: [scale, pods]\n---\n")
    assert found.drop == ("nodes", "pods", "scale")
    kept = found.steps((step("nodes"), step("load"), step("scale"), step("pods", needs=("scale",))))
    assert [each.id for each in kept] == ["load"]


def test_a_step_that_stays_must_not_need_one_that_is_left_out(tmp_path: Path) -> None:
    found = written(tmp_path, en="---\ndrop: [scale]\n---\n")
    with pytest.raises(UsageError) as caught:
        found.steps((step("scale"), step("pods", needs=("scale",))))
    assert caught.value.key == "lessons-drop"
    assert caught.value.values == {"step": "pods", "need": "scale"}


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        pytest.param("## scael | Scale it\n\nText.\n", "lessons-step", 1, id="unknown step"),
        pytest.param("\n## scael +\n\nText.\n", "lessons-step", 2, id="unknown step added to"),
        pytest.param("---\nsources: {}\ndrop: [scael]\n---\n", "lessons-step", 3, id="unknown step left out"),
        pytest.param("---\n\ndrop: scale\n---\n", "lessons-form", 3, id="drop is no list"),
        pytest.param("---\ndrop: [1]\n---\n", "lessons-form", 2, id="drop has a number"),
        pytest.param("---\n- drop\n---\n", "lessons-form", 1, id="front matter is a list"),
        pytest.param("---\nsources: {}\ndrop: [a\n---\n", "lessons-form", 4, id="no YAML"),
        pytest.param("## scale | More\n\n? Which?\n- [ ] a\n", "lessons-form", 3, id="wrong question"),
        pytest.param("## scale | More\n\nAll $podz.\n", "lessons-form", 3, id="unknown placeholder"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_wrong_is_told_with_file_and_line(
    tmp_path: Path, text: str, key: str, line: int, language: str
) -> None:
    with pytest.raises(UsageError) as caught:
        written(tmp_path, **{language: text})
    assert (caught.value.key, caught.value.values["line"]) == (key, line)
    assert caught.value.values["file"] == f"{tmp_path}/{language}.md"
    cause, fix = caught.value.explain(language)
    assert f"{tmp_path}/{language}.md" in cause
    assert str(line) in cause
    assert fix


def test_a_directory_without_lessons_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lessons-none"):
        course(str(tmp_path))


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "zh.md").mkdir()
    with pytest.raises(UsageError, match="lessons-unreadable"):
        course(str(tmp_path))


def example() -> str:
    text = (ROOT / "docs/lessons.md").read_text(encoding="utf-8")
    (found,) = re.findall(r"```markdown\n(.*?)```", text, re.DOTALL)
    return str(found)


def test_the_example_for_teachers_is_of_the_form(tmp_path: Path) -> None:
    found = written(tmp_path, en=example())
    assert found.drop == ("container-logs", "describe-node")
    lesson = found.lessons["en"]["scale"]
    assert lesson.title
    asked = lesson.question("kind", {"replicas": 3})
    assert asked
    assert (len(asked.options), asked.right) == (3, 0)
    assert found.lessons["en"]["pods"].text("kind", {}).endswith("which node runs what.")


def test_the_guide_for_teachers_names_every_placeholder() -> None:
    text = (ROOT / "docs/lessons.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `\$(\w+)` \|", text, re.MULTILINE) == list(PLACEHOLDERS)
