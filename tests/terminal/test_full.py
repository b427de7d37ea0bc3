"""The tour as a person reads it, at 80 columns, as golden files in both languages."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from kubetour.checks import Proof, Result
from kubetour.errors import ProofError
from kubetour.lessons import parse
from kubetour.questions import Prediction, Question
from kubetour.steps import Run
from kubetour.terminal.brief import Json, Quiet
from kubetour.terminal.full import MOST_LINES, Full
from kubetour.text import Text, say
from kubetour.tour import Outcome
from tests.making import sh, step

LESSONS = {
    "en": "## scale | Scale it\n\nThe Deployment **$name** is told how many Pods to have. "
    + "Words. " * 20
    + "\n\n? How many Pods does **$name** have then?\n- [ ] one\n- [x] three\n\n! As many as declared.",
    "zh": "## scale | 扩容\n\n告诉 Deployment **$name** 要有几个 Pod。"
    + "控制器随后让它成真。" * 12
    + "\n\n? 那时 **$name** 有几个 Pod？\n- [ ] 一个\n- [x] 三个\n\n! 声明了几个，就有几个。",
}
PROOF = Proof(True, Text("proof.scaled", {"declared": 3, "ready": 3}), {"declared": 3})


def outcome(error: bool = False) -> Outcome:
    run = Run(("kubectl", "scale", "deployment/web", "--replicas=3"))
    one = step("scale", "true")
    failure = ProofError("not-proved", proof=PROOF.text) if error else None
    return Outcome(
        one, False, ((run, Result(0, "deployment.apps/web scaled\n")),), (), PROOF, failure, 61.0, 1.0
    )


def console() -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    return Console(
        file=stream, width=80, force_terminal=False, no_color=True, highlight=False, markup=False, emoji=False
    ), stream


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_step_reads_as_recorded_and_fits_80_columns(
    language: str, golden: Callable[[str, str], None]
) -> None:
    out, stream = console()
    full = Full(out, language, parse(LESSONS[language]), "kind", {"name": "web"})
    full.begin(outcome().step, 3, 27, 61.0)
    full.command(Run(("kubectl", "scale", "deployment/web", "--replicas=3")))
    full.line("deployment.apps/web scaled")
    full.confirm(Run(("kubectl", "get", "deployment", "web", "-o", "json")))
    for line in json.dumps({"kind": "Deployment"}, indent=1).splitlines():
        full.line(line)
    full.waiting(Proof(False, Text("proof.endpoints-waiting", {"service": "web", "ready": 1, "count": 3})))
    full.end(outcome())
    text = stream.getvalue()
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    golden(f"full.{language}.txt", text)


def test_of_a_long_output_only_the_beginning_is_shown_and_how_much_more_there_is() -> None:
    out, stream = console()
    full = Full(out, "en", {}, "kind", {})
    full.command(sh("seq"))
    for number in range(MOST_LINES + 5):
        full.line(f"line-{number}.")
    full.end(outcome())
    text = stream.getvalue()
    assert f"line-{MOST_LINES - 1}." in text
    assert f"line-{MOST_LINES}." not in text
    assert "5 more lines" in text


def test_nothing_that_a_command_prints_can_move_the_cursor() -> None:
    out, stream = console()
    full = Full(out, "en", {}, "kind", {})
    full.command(sh("printf '\x1b[2J'"))
    full.line("\x1b[2J\x1b]0;title\x07safe")
    full.end(outcome())
    assert "\x1b" not in stream.getvalue()
    assert "safe" in stream.getvalue()


def test_a_command_is_shown_whole_so_that_it_can_be_copied() -> None:
    out, stream = console()
    Full(out, "en", {}, "kind", {}).command(Run(("kubectl", "x" * 200), "a: b\n"))
    assert f"$ kubectl {'x' * 200} <<'EOF'\na: b\nEOF\n" in stream.getvalue()


def test_pause_is_asked_for_after_the_lesson_and_before_the_command() -> None:
    out, stream = console()
    seen: list[str] = []
    full = Full(
        out, "en", parse(LESSONS["en"]), "kind", {"name": "web"}, lambda: seen.append(stream.getvalue())
    )
    full.begin(outcome().step, 1, 1, 0.0)
    assert full.ready(outcome().step) is None
    (shown,) = seen
    assert "The Deployment web is told" in shown
    assert "b) three" in shown


@pytest.mark.parametrize(
    ("chosen", "said"),
    [(1, "Right, b. As many"), (0, "You said a; it is b. As many"), (None, "The answer is b. As many")],
)
def test_a_prediction_is_asked_for_before_the_command_and_judged_after_the_proof(
    chosen: int | None, said: str
) -> None:
    out, stream = console()
    asked: list[Question] = []

    def ask(question: Question) -> int | None:
        assert "How many Pods does web have then?" in stream.getvalue()
        asked.append(question)
        return chosen

    full = Full(out, "en", parse(LESSONS["en"]), "kind", {"name": "web"}, pytest.fail, ask=ask)
    full.begin(outcome().step, 1, 1, 0.0)
    prediction = full.ready(outcome().step)
    assert prediction == (None if chosen is None else Prediction(asked[0], chosen))
    full.end(replace(outcome(), prediction=prediction))
    proof, _, answer = stream.getvalue().splitlines()[-3:]
    assert proof.startswith("✓ ")
    assert answer.startswith(said)


@pytest.mark.parametrize("asks", [True, False], ids=["with a question", "without one"])
def test_what_an_experiment_claims_is_not_told_before_its_question_is_answered(asks: bool) -> None:
    out, stream = console()
    one = replace(step("scale", "true"), claim="scaling")
    lessons = parse(LESSONS["en"] if asks else "## scale | Scale it\n\nText.")
    full = Full(out, "en", lessons, "kind", {"name": "web"})
    full.begin(one, 1, 1, 0.0)
    assert ("Claim: " in stream.getvalue()) == (not asks)
    full.end(replace(outcome(), step=one))
    assert stream.getvalue().count("Claim: ") == 1


def test_where_nothing_is_asked_enter_is_waited_for() -> None:
    seen: list[str] = []
    lessons = parse("## scale | Scale it\n\nText.")
    full = Full(console()[0], "en", lessons, "kind", {}, lambda: seen.append("paused"), pytest.fail)
    full.begin(outcome().step, 1, 1, 0.0)
    assert full.ready(outcome().step) is None
    assert seen == ["paused"]


def test_of_a_step_that_failed_no_answer_is_told() -> None:
    out, stream = console()
    full = Full(out, "en", parse(LESSONS["en"]), "kind", {"name": "web"})
    full.begin(outcome().step, 1, 1, 0.0)
    full.end(outcome(error=True))
    assert "As many as declared" not in stream.getvalue()


NOTE = Text("skew.kubectl", {"version": "v1.32.4", "server": "v1.36.2", "fits": "1.36"})


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_a_person_should_know_stands_after_the_proof(language: str) -> None:
    out, stream = console()
    Full(out, language, {}, "kind", {}).end(replace(outcome(), proof=replace(PROOF, notes=(NOTE,))))
    proof, *note = stream.getvalue().splitlines()
    assert proof.startswith("✓ ")
    assert note[0].startswith("! kubectl v1.32.4 ")
    assert max(cell_len(line) for line in note) <= 80


def test_json_with_a_warning_beside_it_is_still_for_programs() -> None:
    out, stream = console()
    full = Full(out, "en", {}, "kind", {})
    full.confirm(sh("kubectl version -o json"))
    for line in ("{", '  "clientVersion": {}', "WARNING: version difference between client and server", "}"):
        full.line(line)
    full.end(outcome())
    assert "clientVersion" not in stream.getvalue()
    assert "4 lines of JSON" in stream.getvalue()


def test_quiet_has_a_line_for_each_note() -> None:
    out, stream = console()
    Quiet(out, "en").end(replace(outcome(), proof=replace(PROOF, notes=(NOTE,))))
    proof, note = stream.getvalue().splitlines()
    assert proof.startswith("✓ scale: ")
    assert note.startswith("! scale: kubectl v1.32.4 ")


def test_quiet_is_one_line_for_each_step_that_was_proved() -> None:
    out, stream = console()
    quiet = Quiet(out, "en")
    quiet.begin(outcome().step, 1, 2, 0.0)
    quiet.line("noise")
    quiet.end(outcome())
    quiet.end(outcome(error=True))
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("✓ scale: ")


def test_json_is_one_object_on_one_line_for_each_step() -> None:
    out, stream = console()
    presenter = Json(out, "zh")
    presenter.command(sh("true"))
    presenter.end(outcome())
    presenter.end(outcome(error=True))
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["step"], first["ok"], first["started"]) == ("scale", True, 61.0)
    assert second["error"]["exit_status"] == 7


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (
            ["scaled", '{"rate": 50,', '"seconds": []}'],
            ["scaled", f"  {say('en', 'tour.json', lines=2)}"],
        ),
        (["scaled", "{", "no JSON"], ["scaled", "{", "no JSON"]),
        (["function () {", "}"], ["function () {", "}"]),
    ],
    ids=["JSON at the end", "a brace alone", "a program"],
)
def test_json_among_a_commands_output_is_for_programs(lines: list[str], shown: list[str]) -> None:
    out, stream = console()
    full = Full(out, "en", {}, "kind", {})
    full.command(Run(("steady",)))
    for line in lines:
        full.line(line)
    full.end(outcome(error=True))
    assert stream.getvalue().splitlines()[1:] == shown
