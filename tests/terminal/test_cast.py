"""The cast of a run: as asciicast v2 wants it, played as the run was shown, and no secret in it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from kubetour.checks import Proof
from kubetour.errors import DeadlineError
from kubetour.lessons import parse as parse_lessons
from kubetour.redact import GONE
from kubetour.steps import Run
from kubetour.terminal import cast as casts
from kubetour.terminal.cast import WIDTH, cast
from kubetour.terminal.console import make
from kubetour.terminal.full import Full
from kubetour.terminal.recorder import Event, Recorder
from kubetour.text import Text
from tests.making import step
from tests.terminal.asciicast import parse, play
from tests.terminal.test_full import LESSONS, PROOF, outcome

WAITING = Proof(False, Text("proof.endpoints-waiting", {"service": "web", "ready": 1, "count": 3}))
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----"
SECRETS = ("hunter2", "MIIEow", "IBAAKC", "abcdefgh12345678", "/root/", "alice")


def teller(language: str) -> Callable[..., Full]:
    def made(console: Any, **given: Any) -> Full:
        return Full(console, language, parse_lessons(LESSONS[language]), "kind", {"name": "web"}, **given)

    return made


def run(shown: Any, *lines: str, command: Run | None = None) -> None:
    """Tell a presenter of a step: its command, what it prints, and its end."""
    shown.begin(step("scale"), 3, 27, 61.0)
    shown.command(command or Run(("kubectl", "scale", "deployment/web", "--replicas=3")))
    for line in lines:
        shown.line(line)
    shown.confirm(Run(("kubectl", "get", "deployment", "web", "-o", "json")))
    for line in json.dumps({"kind": "Deployment"}, indent=1).splitlines():
        shown.line(line)
    shown.note(Text("tour.already"))
    shown.waiting(WAITING)
    shown.end(outcome())


def recorded(*lines: str, command: Run | None = None, language: str = "en") -> str:
    recorder = Recorder(Full(make(io.StringIO()), language, {}, "kind", {}), clock=count().__next__)
    run(recorder, *lines, command=command)
    return cast(recorder.events, teller(language), language, "kubetour · kind", 1_795_652_959.7)


def printed(*lines: str, language: str = "en") -> list[str]:
    stream = io.StringIO()
    run(teller(language)(make(stream)), *lines)
    return stream.getvalue().split("\n")


def test_it_is_an_asciicast_with_what_a_player_needs() -> None:
    recording = parse(recorded("deployment.apps/web scaled"))
    assert recording.header == {
        "version": 2,
        "width": 80,
        "height": 24,
        "timestamp": 1_795_652_959,
        "idle_time_limit": 2.0,
        "title": "kubetour · kind",
        "env": {"TERM": "xterm-256color", "SHELL": "/bin/sh"},
    }
    assert len(recording.events) > 5


@pytest.mark.parametrize("language", ["en", "zh"])
def test_played_it_leaves_on_the_screen_what_the_run_printed(language: str) -> None:
    line = "deployment.apps/web scaled"
    assert play(recorded(line, language=language)) == printed(line, language=language)


def test_a_long_line_is_wrapped_by_the_terminal_and_by_nobody_else() -> None:
    shown = play(recorded("x" * 100))
    at = shown.index("x" * WIDTH)
    assert shown[at + 1] == "x" * 20


def test_it_has_colours_whatever_the_terminal_of_the_run_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    assert "\\u001b[1m$ kubectl scale" in recorded()


def test_each_event_has_the_time_of_what_it_shows() -> None:
    events = parse(recorded("uno", "due")).events
    at = {data: seconds for seconds, _, data in events}
    assert [seconds for data, seconds in at.items() if "uno" in data or "due" in data] == [3, 4]
    assert at[events[-1][2]] == events[-1][0] == max(seconds for seconds, *_ in events)


def test_what_is_waited_for_is_shown_until_something_else_is() -> None:
    recording = parse(recorded())
    (at,) = (n for n, event in enumerate(recording.events) if event[2].startswith("\x1b[2m  …"))
    assert not recording.events[at][2].endswith("\n")
    assert recording.events[at + 1][2].startswith(casts.ERASE)
    assert not any("…" in line for line in play(recorded()))


def test_no_secret_and_no_home_directory_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/srv/people/alice")
    text = recorded(
        "password: hunter2",
        "\x1b[1mAuthorization\x1b[0m: Bearer abcdefgh12345678",
        *KEY.splitlines(),
        "/root/.kube/config and /srv/people/alice/x",
        command=Run(("curl", "--password", "hunter2"), stdin=f"token: hunter2\n{KEY}\n"),
    )
    assert [secret for secret in SECRETS if secret in text] == []
    shown = play(text)
    assert f"password: {GONE}" in shown
    assert "~/.kube/config and ~/x" in shown
    assert sum(GONE in line for line in shown) == 6


def test_a_secret_in_a_proof_or_in_an_error_is_not_in_it_either() -> None:
    told = Text("proof.answered-other", {"answer": "token=hunter2 at /root/x"})
    error = DeadlineError("not-in-time", proof=told, seconds=3, evidence=KEY)
    error.causes = (Text("cause.crash", {"pod": "password=hunter2", "reason": "x", "code": 1}),)
    proved = replace(outcome(), proof=replace(PROOF, text=told, notes=(told,)))
    events = [Event(0.0, "end", (proved,)), Event(1.0, "end", (replace(proved, error=error),))]
    text = cast(events, teller("en"), "en", "", 0.0)
    assert [secret for secret in SECRETS if secret in text] == []
    assert text.count(GONE) == 5


def test_a_run_that_fails_ends_with_its_error_and_what_to_do() -> None:
    failed = outcome(error=True)
    shown = play(cast([Event(1.5, "end", (failed,))], teller("en"), "en", "", 0.0))
    assert failed.error
    cause, fix = failed.error.explain("en")
    assert any(line.startswith(f"✗ {failed.error.code} {cause[:40]}") for line in shown)
    assert any(line.startswith(f"→ {fix[:40]}") for line in shown)


@pytest.mark.parametrize("calls", range(8))
def test_of_a_run_that_was_interrupted_anywhere_there_is_a_cast(calls: int) -> None:
    recorder = Recorder(Full(make(io.StringIO()), "en", {}, "kind", {}))
    run(recorder, "deployment.apps/web scaled")
    play(cast(recorder.events[:calls], teller("en"), "en", "", 0.0))


def test_nothing_that_an_app_prints_moves_the_cursor() -> None:
    shown = play(recorded("\x1b[2J\x1b[Hgone \x1b]0;title\x07", "over\rwritten", "\ud800half"))
    assert {"gone ", "overwritten", "?half"} <= set(shown)


def test_it_ends_where_it_would_get_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = recorded("x" * 50)
    monkeypatch.setattr(casts, "MOST", 600)
    cut = parse(recorded("x" * 50))
    assert sum(len(data) for *_, data in cut.events) <= 600
    assert len(cut.events) < len(parse(whole).events)


def test_a_megabyte_of_output_does_not_make_a_megabyte_of_cast() -> None:
    assert len(recorded(*(f"line {n} {'y' * 90}" for n in range(10_000)))) < 50_000
