"""An error as a person reads it."""

from __future__ import annotations

import io

import pytest

from kubetour.errors import ClusterError, DeadlineError
from kubetour.terminal import console as consoles
from kubetour.terminal.mistakes import print_error
from kubetour.text import LANGUAGES, Text


def shown(error: DeadlineError | ClusterError, language: str) -> list[str]:
    stream = io.StringIO()
    print_error(consoles.make(stream), error, language)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_code_stands_before_the_cause_and_before_each_known_cause_of_it(language: str) -> None:
    error = DeadlineError("not-in-time", evidence="one\n\x1b[2Jtwo", proof=Text("proof.log-empty"), seconds=9)
    error.causes = (
        Text("cause.unscheduled", {"pod": "web-1", "reason": "0/1 nodes"}),
        Text("cause.probe", {"pod": "web-2"}),
        Text("diagnosis.more", {"count": 4}),
    )
    cause, fix = error.explain(language)
    first, one, two, unscheduled, probe, more, last = shown(error, language)
    assert first == f"✗ KT501 {cause}"
    assert (one, two) == ("  │ one", "  │ two")
    assert unscheduled.startswith("  • KT457 Pod web-1")
    assert probe.startswith("  • KT459 Pod web-2")
    assert "4" in more
    assert "KT" not in more
    assert last == f"→ {fix}"


def test_an_error_without_a_diagnosis_is_two_lines() -> None:
    assert [line[:7] for line in shown(ClusterError("forbidden"), "en")] == ["✗ KT404", "→ Ask f"]
