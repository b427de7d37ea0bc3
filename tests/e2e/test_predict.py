"""`inv tour --predict` at a terminal: asked, answered, judged, counted, recorded; Ctrl-D and Ctrl-C."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from kubetour.text import say
from tests.e2e.checkout import Checkout, make
from tests.e2e.terminal import Terminal, terminal

pytestmark = pytest.mark.skipif(
    not shutil.which("node") and not os.environ.get("CI"), reason="the app needs Node.js: it is not on PATH"
)

STEPS = ("tools", "app", "build", "layers")  # none of which starts anything that goes on
TOUR = ("tour", "--predict", "--provider", "embedded", "--only", ",".join(STEPS))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return make(tmp_path)


def asked(at: Terminal, lang: str = "en") -> str:
    """Wait for the question, and return what came before it."""
    return at.until(say(lang, "tour.predict", last="c"))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_predictions_are_asked_for_judged_counted_and_recorded(checkout: Checkout, lang: str) -> None:
    with terminal(checkout, *TOUR, lang=lang) as at:
        before = asked(at, lang)
        assert "c) " in before
        assert "$ " not in before  # it has not run yet
        at.type("c\n")
        after = asked(at, lang)
        assert say(lang, "tour.right", right="c", answer="").strip("* ") in after
        at.type("maybe\n")
        asked(at, lang)
        at.type("B\n")
        after = asked(at, lang)
        assert say(lang, "tour.wrong", chosen="b", right="a", answer="").strip("* ") in after
        at.type("\n")
        after = asked(at, lang)
        assert say(lang, "tour.answer", right="b", answer="").strip("* ") in after
        at.type("b\n")
        at.until(say(lang, "tour.score", right=2, count=3))
        assert at.ended() == 0
    steps = checkout.report()["steps"]
    assert [step["step"] for step in steps] == list(STEPS)
    made = [
        step["prediction"] and (step["prediction"]["chosen"], step["prediction"]["correct"]) for step in steps
    ]
    assert made == [(2, True), (1, False), None, (1, True)]


def test_ctrl_d_asks_no_more_and_the_tour_goes_on(checkout: Checkout) -> None:
    with terminal(checkout, *TOUR) as at:
        asked(at)
        at.type("a\n")
        asked(at)
        at.type("\x04")
        rest = at.until(say("en", "tour.score", right=0, count=1))
        assert rest.count("Think first") == 2  # of the steps left, they can still be read
        assert "Your prediction" not in rest
        assert at.ended() == 0
    assert [bool(step["prediction"]) for step in checkout.report()["steps"]] == [True, False, False, False]


def test_ctrl_c_at_a_question_ends_the_tour_as_anywhere(checkout: Checkout) -> None:
    with terminal(checkout, *TOUR) as at:
        asked(at)
        at.type("c\n")
        asked(at)
        at.type("\x03")
        at.until("Interrupted")
        at.until(say("en", "tour.score", right=1, count=1))
        assert at.ended() == 130
    steps = checkout.report()["steps"]
    assert [(step["step"], step["ok"]) for step in steps] == [("tools", True), ("app", False)]
    assert steps[1]["commands"] == []


def test_a_teachers_lessons_are_what_is_asked_titled_and_left_out(checkout: Checkout) -> None:
    mine = checkout.root / "class"
    mine.mkdir()
    (mine / "zh.md").write_text(
        "---\ndrop: [layers]\n---\n\n## app | 我的标题\n\n我的讲解。\n\n"
        "? 我的问题？\n- [ ] 甲\n- [ ] 乙\n- [x] 丙\n\n! 我的答案。\n",
        encoding="utf-8",
    )
    given = ("tour", "--predict", "--lessons", "class", "--provider", "embedded", "--only", "tools,app")
    with terminal(checkout, *given, lang="zh") as at:
        asked(at, "zh")
        at.type("\n")
        assert "我的问题？" in asked(at, "zh")
        at.type("c\n")
        at.until("我的答案。")
        assert at.ended() == 0
    assert checkout.report()["steps"][1]["prediction"]["options"] == ["甲", "乙", "丙"]
    (page,) = (checkout.root / ".kubetour/runs").glob("*/report.html")
    assert "我的标题" in page.read_text(encoding="utf-8")
    script = checkout.inv("script", "--lessons", "class", "--provider", "embedded", lang="zh").stdout
    assert "# app: 我的标题" in script
    assert "# layers:" not in script
    told = checkout.inv("lesson", "--lessons", "class", "--step", "app", "--provider", "embedded", lang="zh")
    assert "我的讲解。" in told.stdout
    told = checkout.inv("lesson", "--lessons", "class", "--step", "app", "--provider", "embedded")
    assert "class/en.md" in told.stderr
    assert "The app is a web server" in told.stdout


def test_lessons_that_are_not_of_the_form_are_told_before_anything_runs(checkout: Checkout) -> None:
    (checkout.root / "en.md").write_text("## app | Mine\n\n$podz\n", encoding="utf-8")
    done = checkout.inv("tour", "--lessons", ".", "--provider", "embedded", "--json", check=2)
    assert "./en.md, line 3: $podz" in done.stderr
    assert done.stdout == ""
