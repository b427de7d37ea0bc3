"""What a task tells: the whole lesson with its question in a tour, the command alone in a single task."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from kubetour import play
from kubetour.lessons import PLACEHOLDERS
from kubetour.session import Session
from kubetour.settings import Resolved
from kubetour.state import State
from tests.making import CONTEXT, make_provider, step


@pytest.fixture
def session(tmp_path: Path) -> Session:
    provider = make_provider("kind")
    return Session(Resolved(provider.settings, {}), provider, CONTEXT, State(tmp_path))


@pytest.mark.parametrize(("language", "asked"), [("en", "Think first"), ("zh", "先想一想")])
def test_a_tour_asks_a_single_task_only_acts(
    session: Session, language: str, asked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for lessons in (True, False):
        presenter = play.presenter(session, language, {"lessons": lessons})
        presenter.begin(step("scale"), 1, 1, 0.0)
        told = capsys.readouterr().out
        assert "scale · " in told
        assert (asked in told, "ReplicaSet" in told) == (lessons, lessons)


class Closed(io.TextIOWrapper):
    """A terminal at which Ctrl-D was pressed."""

    def isatty(self) -> bool:
        return True


def test_ctrl_d_where_enter_is_waited_for_ends_the_tour(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Closed(Path(os.devnull).open("rb")) as closed:
        monkeypatch.setattr("sys.stdin", closed)
        presenter = play.presenter(session, "en", {"pause": True})
        presenter.begin(step("scale"), 1, 1, 0.0)
        with pytest.raises(KeyboardInterrupt):
            presenter.ready(step("scale"))


def test_every_placeholder_has_a_value(session: Session) -> None:
    assert list(play.lesson_values(session)) == list(PLACEHOLDERS)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_questions_of_all_steps_are_known_for_the_record(session: Session, language: str) -> None:
    questions = play.questions(session, language)
    assert set(questions) == set(session.course.lessons[language])
    assert not any("$" in question.text + question.answer for question in questions.values())
