"""report.json: what a run was, in plain JSON values."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kubetour.checks import Proof, Result
from kubetour.errors import DeadlineError
from kubetour.project import ROOT
from kubetour.questions import Prediction, Question
from kubetour.redact import GONE
from kubetour.report import MOST, MOST_OF_ALL, VERSION, report, step_record, to_json
from kubetour.schemas import faults
from kubetour.settings import PROVIDERS, SOURCES, Settings
from kubetour.steps import Run, Stage
from kubetour.text import LANGUAGES, Text
from kubetour.tour import Outcome
from tests.html import sample
from tests.making import step

PROOF = Proof(True, Text("proof.scaled", {"declared": 3, "ready": 3}), {"pods": ["a", "b", "c"]})
PLANNED = ("one", "two", "three")
SCHEMA = json.loads((ROOT / "docs/report.schema.json").read_text(encoding="utf-8"))
RUN = Run(("kubectl", "apply", "-f", "-"), "kind: Service\n")


def failed() -> DeadlineError:
    error = DeadlineError("not-in-time", evidence="raw\nlines", proof=PROOF.text, seconds=180)
    error.causes = (Text("cause.probe", {"pod": "web-1"}),)
    return error


def test_a_step_is_recorded_with_commands_proof_and_times() -> None:
    outcome = Outcome(
        step("scale"), True, ((RUN, Result(0, "out", "err", 0.12345)),), (), PROOF, None, 1.23456, 2.0
    )
    record = step_record(outcome, "en")
    assert record["step"] == "scale"
    assert record["stage"] == "app"
    assert (record["ok"], record["already"], record["error"]) == (True, True, None)
    assert (record["started"], record["seconds"]) == (1.235, 2.0)
    assert record["proof"]["data"] == {"pods": ["a", "b", "c"]}
    assert record["proof"]["notes"] == []
    assert record["commands"] == [
        {
            "text": "kubectl apply -f - <<'EOF'\nkind: Service\nEOF",
            "status": 0,
            "started": None,
            "seconds": 0.123,
            "stdout": "out",
            "stderr": "err",
        }
    ]


ASKED = Question("Will it be *three*?", ("no", "`yes`"), 1, "Yes.")
SAME = Question("会是*三*个吗？", ("不会", "`会`"), 1, "会。")
OTHER = Question("会有几个？", ("一个", "两个", "三个"), 2, "三个。")


@pytest.mark.parametrize(
    ("question", "told"),
    [
        pytest.param(None, "Will it be three?", id="none in this language"),
        pytest.param(SAME, "会是三个吗？", id="the same in this language"),
        pytest.param(OTHER, "Will it be three?", id="another one in this language"),
    ],
)
def test_a_prediction_is_recorded_as_it_was_meant(question: Question | None, told: str) -> None:
    outcome = Outcome(step("scale"), proof=PROOF, waited=4.5678, prediction=Prediction(ASKED, 0))
    record = step_record(outcome, "zh", question)
    assert record["waited"] == 4.568
    assert record["prediction"] == {
        "question": told,
        "options": ["不会", "会"] if question is SAME else ["no", "yes"],
        "chosen": 0,
        "right": 1,
        "correct": False,
    }


def test_without_a_prediction_there_is_none() -> None:
    assert step_record(Outcome(step("scale"), proof=PROOF), "en", ASKED)["prediction"] is None


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_error_is_recorded_with_cause_fix_evidence_and_diagnosis(language: str) -> None:
    record = step_record(Outcome(step("scale"), error=failed()), language)
    assert record["ok"] is False
    assert record["proof"] is None
    error = record["error"]
    assert (error["code"], error["key"], error["exit_status"]) == ("KT501", "not-in-time", 6)
    assert error["evidence"] == "raw\nlines"
    assert "180" in error["cause"]
    assert error["fix"]
    assert len(error["diagnosis"]) == 1
    assert error["diagnosis"][0].startswith("KT459 ")
    assert "web-1" in error["diagnosis"][0]


def test_what_is_noted_beside_a_proof_is_recorded_in_words() -> None:
    note = Text("skew.client", {"version": "37.0.2", "server": "v1.33.1", "fits": "1.37"})
    record = step_record(Outcome(step("one"), proof=replace(PROOF, notes=(note,))), "en")
    (said,) = record["proof"]["notes"]
    assert said.startswith("The Python client 37.0.2 is made for Kubernetes 1.37")


def test_a_huge_output_is_cut() -> None:
    record = step_record(Outcome(step("one"), results=((RUN, Result(0, "x" * (MOST + 1))),)), "en")
    assert len(record["commands"][0]["stdout"]) == MOST


def test_of_many_huge_outputs_the_last_are_whole() -> None:
    results = tuple((RUN, Result(0, str(number % 10) * MOST)) for number in range(40))
    outputs = [
        each["stdout"] for each in step_record(Outcome(step("one"), results=results), "en")["commands"]
    ]
    assert [output[0] for output in outputs] == [str(number % 10) for number in range(40)]
    assert [len(output) for output in outputs[-5:]] == [MOST] * 5
    assert sum(map(len, outputs)) < MOST_OF_ALL + 40 * 1000


def test_a_whole_record_is_json_that_reads_back_the_same() -> None:
    outcomes = [Outcome(step("one"), proof=PROOF), Outcome(step("two"), error=failed())]
    document = report(outcomes, PLANNED, Settings(image="商店"), "kind", {"image": "flag"}, "zh", 1.0, 2.5)
    text = to_json(document)
    assert json.loads(text) == document
    assert "商店" in text, "readable by a person, too"
    assert [record["step"] for record in document["steps"]] == ["one", "two"]
    assert document["provider"] == "kind"
    assert document["settings"]["image"] == "商店"


def test_a_command_began_so_many_seconds_after_the_run_even_in_the_background() -> None:
    early = (RUN, Result(0, seconds=2.0, began=100.5))
    outcome = Outcome(step("one"), results=(early,), started=7.25, origin=100.0)
    assert step_record(outcome, "en")["commands"][0]["started"] == 0.5


def test_no_secret_is_recorded_whether_in_a_command_its_output_a_proof_or_an_error() -> None:
    word = "password: hunter2"
    proof = Proof(True, Text("proof.logged", {"lines": 1, "first": word}), {"first": word})
    error = DeadlineError("not-in-time", evidence=word, proof=proof.text, seconds=1)
    outcome = Outcome(step("one"), False, ((Run(("echo", word)), Result(0, word, word)),), (), proof, error)
    told = json.dumps(step_record(outcome, "en"))
    assert "hunter2" not in told
    assert (
        told.count(GONE) == 7
    )  # the command, what it printed twice, the proof, its data, cause and evidence


def test_a_record_can_be_written_whatever_an_app_prints() -> None:
    for document in sample.documents(sample.failed()).values():
        assert to_json(document).encode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_record_is_as_the_schema_says(language: str) -> None:
    document = sample.documents(sample.failed(), planned=("later",))[language]
    assert faults(json.loads(to_json(document)), SCHEMA, SCHEMA) == []


def measured(**data: object) -> dict[str, object]:
    """Return a record's step whose proof has these data."""
    step: dict[str, object] = sample.documents()["en"]["steps"][0]
    proof = step["proof"]
    assert isinstance(proof, dict)
    return {**step, "proof": {**proof, "data": data}}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        pytest.param({"version": 2}, "$.version: const 1", id="another version"),
        pytest.param({"more": 1}, "more is unknown", id="an unknown field"),
        pytest.param({"seconds": "1"}, "$.seconds: type number", id="a wrong type"),
        pytest.param({"ok": 1}, "$.ok: type boolean", id="a number for a truth"),
        pytest.param({"steps": [{}]}, "$.steps[0]: required", id="missing fields"),
        pytest.param({"began": "today"}, "$.began: pattern", id="no time"),
        pytest.param({"steps": [measured(load={})]}, "$.steps[0].proof: anyOf", id="no load"),
        pytest.param({"steps": [measured(timeline=[])]}, "$.steps[0].proof: anyOf", id="no timeline"),
    ],
)
def test_what_is_not_as_the_schema_says_is_found(change: dict[str, object], where: str) -> None:
    document = {**sample.documents()["en"], **change}
    found = faults(document, SCHEMA, SCHEMA)
    assert any(where in fault for fault in found), found


def test_the_schema_names_what_the_program_knows() -> None:
    properties = SCHEMA["properties"]
    assert properties["version"]["const"] == VERSION
    assert properties["language"]["enum"] == list(LANGUAGES)
    assert set(properties["provider"]["enum"]) == set(PROVIDERS) - {"auto"}
    assert properties["origins"]["additionalProperties"]["enum"] == list(SOURCES)
    assert SCHEMA["$defs"]["step"]["properties"]["stage"]["enum"] == [stage.value for stage in Stage]
