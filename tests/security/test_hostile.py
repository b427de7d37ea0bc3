"""Whatever comes from outside stays text: no shell, no YAML, no HTML, no XML, nothing that a terminal obeys.

What is sent through everything is in tests/hostile.py.
"""

from __future__ import annotations

import html.parser
import io
import json
import os
import random
import re
import subprocess
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import example, given, settings
from rich.console import Console

from kubetour import lessons
from kubetour.checks import Proof, Result
from kubetour.dry import script_text, tour_steps
from kubetour.embedded.documents import from_yaml
from kubetour.errors import DeadlineError, UsageError
from kubetour.html.junit import junit
from kubetour.html.page import page
from kubetour.plan import clean_up
from kubetour.plan import whole as whole_plan
from kubetour.project import ROOT, TEMPLATES
from kubetour.redact import whole
from kubetour.report import report, to_json
from kubetour.session import Session
from kubetour.settings import FIELDS, Resolved, Settings, check, resolve, variable
from kubetour.state import State
from kubetour.steps import Run
from kubetour.terminal.brief import Json, Quiet
from kubetour.terminal.cast import cast
from kubetour.terminal.console import make
from kubetour.terminal.full import Full
from kubetour.terminal.mistakes import print_error
from kubetour.terminal.recorder import Event
from kubetour.text import LANGUAGES, Text
from kubetour.tour import Outcome
from tests import hostile
from tests.making import CONTEXT, make_provider, step

TEXTS = hostile.strings()
TURNS = "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
COLOURS = re.compile("\x1b\\[[0-9;]*m")


def obeyed(text: str) -> set[str]:
    """Return the characters that a terminal would obey."""
    return {
        char for char in text if (unicodedata.category(char) == "Cc" and char not in "\t\n") or char in TURNS
    }


# --- settings


@pytest.mark.parametrize("name", FIELDS)
def test_a_setting_takes_no_control_character_and_no_option(name: str) -> None:
    for text in hostile.ALL:
        try:
            value = check(name, text, name)
        except UsageError as error:
            for language in LANGUAGES:
                out = io.StringIO()
                print_error(make(out), error, language)
                assert not obeyed(out.getvalue())
            continue
        if isinstance(value, str):
            assert not obeyed(value)
            assert not value.startswith("-")


@given(TEXTS)
def test_a_name_or_an_image_is_never_a_word_that_a_shell_or_yaml_acts_upon(text: str) -> None:
    for name in (
        "image",
        "registry",
        "base",
        "node_image",
        "name",
        "cluster_name",
        "namespace",
        "student",
        "host",
    ):
        try:
            value = check(name, text, name)
        except UsageError:
            continue
        assert re.fullmatch(r"[\w.:/@+\[\]-]*", value, re.ASCII)


@given(TEXTS)
def test_the_environment_and_the_configuration_go_through_the_same_rules(text: str) -> None:
    for name in FIELDS:
        for environ, config in (({variable(name): text}, {}), ({}, {name: text})):
            try:
                found = resolve({}, environ, config, {}).settings
            except UsageError:
                continue
            assert not obeyed(str(getattr(found, name)))


# --- scripts


@pytest.fixture
def stubs(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which every program of the plan is there, and does nothing."""
    names = (
        "kubectl",
        "docker",
        "kind",
        "minikube",
        "curl",
        "python3",
        "node",
        "ss",
        "git",
        "tail",
        "timeout",
    )
    for name in names:
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text("#!/bin/sh\nexit 0\n")
        program.chmod(0o755)
    return {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "HOME": str(tmp_path)}


ACCEPTED = [
    text
    for text in hostile.ALL
    if text and text.isprintable() and not text.startswith("-") and len(text) < 250
]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("context", "context"),
        ("context", "pull_secret"),
        ("kind", "config"),
        ("kind", "app_dir"),
        ("minikube", "app_dir"),
    ],
)
def test_a_script_runs_nothing_that_a_setting_says(
    kind: str, name: str, tmp_path: Path, stubs: dict[str, str]
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    texts = [text for text in ACCEPTED if "touch" in text] + ["'", '"', "\\", "*", "a b", "%s%n"]
    for text in texts:
        setting: dict[str, Any] = {name: text}
        given_ = make_provider(kind, **setting)
        session = Session(Resolved(given_.settings, {}), given_, CONTEXT, State(tmp_path / "state"))
        script = script_text(session, tour_steps(session, down=True), "en").replace(str(ROOT), str(place))
        subprocess.run(
            ["sh", "-n"],
            input=script,
            cwd=place,
            env=stubs,
            check=True,
            capture_output=True,
            encoding="utf-8",
        )
        for run in _commands(session):
            # Each command by itself: a script would end with the first that fails.
            subprocess_input = run.replace(str(ROOT), str(place))
            if text in run or text.replace("'", "'\"'\"'") in run:
                subprocess.run(
                    ["sh", "-c", subprocess_input],
                    cwd=place,
                    env=stubs,
                    check=False,
                    capture_output=True,
                    timeout=30,
                )
    assert not list(tmp_path.rglob("pwned"))


def _commands(session: Session) -> Iterator[str]:
    from kubetour.script import shell

    provider = session.provider
    for one in (*whole_plan(provider, CONTEXT), *clean_up(provider, (provider.settings.image,))):
        yield from {shell(run) for run in (*one.actions, *one.confirm)}


def test_what_is_planted_would_be_found(tmp_path: Path, stubs: dict[str, str]) -> None:
    subprocess.run(["sh", "-c", f"kubectl get {hostile.SHELL[0]}"], cwd=tmp_path, env=stubs, check=True)
    assert list(tmp_path.rglob("pwned"))


# --- what a run has seen: output of containers and hosts, messages of objects, answers of the Service


def outcome(text: str, *, failed: bool) -> Outcome:
    """Return a step in which everything from outside is that text."""
    error = DeadlineError(
        "not-in-time", evidence=text, proof=Text("proof.answered-other", {"answer": text}), seconds=1
    )
    error.causes = (Text("cause.crash", {"pod": text, "reason": text, "code": 1}),)
    proof = Proof(
        True,
        Text("proof.answered-other", {"answer": text}),
        {"answers": {text: 1}},
        notes=(Text("proof.ended", {"what": text}),),
    )
    result = (
        Run(("kubectl", "get", whole(text.replace("\x00", "")))),
        Result(0, f"{text}\n{text}", text, 0.5, 1001.0),
    )
    return Outcome(
        step("hit"),
        False,
        (result,),
        (result,),
        None if failed else proof,
        error if failed else None,
        1.0,
        1.0,
        1000.0,
    )


def documents(text: str) -> dict[str, dict[str, Any]]:
    every = [outcome(text, failed=False), outcome(text, failed=True)]
    return {
        language: report(
            every, ["hit", "hit", "scale"], Settings(context=text), "kind", {}, language, 1.0, 2.0
        )
        for language in LANGUAGES
    }


@given(TEXTS)
@example("\x9b31m\x7f\u2028")
def test_a_record_is_json_that_says_the_same_and_has_nothing_for_a_terminal(text: str) -> None:
    for document in documents(text).values():
        written = to_json(document)
        assert not obeyed(written)
        assert json.loads(written) == json.loads(json.dumps(document))
        written.encode()


class Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[str, str]] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen |= {(tag, ""), *((tag, name) for name, _ in attrs)}
        self.links |= {value or "" for name, value in attrs if name in ("href", "src", "action")}


def tags(text: str) -> Tags:
    parser = Tags()
    parser.feed(page(documents(text), "en", {language: {} for language in LANGUAGES}, TEMPLATES))
    return parser


@settings(max_examples=15)
@given(TEXTS)
@example("".join(text for text in hostile.ALL if len(text) < 100))
def test_a_page_has_no_element_attribute_or_link_that_comes_from_outside(text: str) -> None:
    plain, found = tags("plain"), tags(text)
    assert found.seen <= plain.seen | {("br", "")}
    assert found.links <= plain.links
    assert not {name for _, name in found.seen if name.startswith("on")}


@given(TEXTS)
def test_junit_is_xml_with_the_same_elements(text: str) -> None:
    for document in documents(text).values():
        root = ElementTree.fromstring(junit(document))
        assert {element.tag for element in root.iter()} == {
            "testsuite",
            "testcase",
            "failure",
            "system-out",
            "skipped",
        }


def tell(console: Console, text: str) -> None:
    """Have every presenter tell the outcomes."""
    every = [outcome(text, failed=False), outcome(text, failed=True)]
    for presenter in (Full(console, "en", {}, "kind", {}), Quiet(console, "en"), Json(console, "en")):
        for one in every:
            presenter.begin(one.step, 1, 2, 1.0)
            presenter.command(one.results[0][0])
            for line in text.split("\n"):
                presenter.line(line)
            presenter.note(Text("proof.ended", {"what": text}))
            presenter.waiting(Proof(False, Text("proof.ended", {"what": text})))
            presenter.confirm(one.results[0][0])
            presenter.end(one)
            if one.error:
                print_error(console, one.error, "en")


@given(TEXTS)
def test_a_terminal_gets_nothing_to_obey(text: str) -> None:
    out = io.StringIO()
    tell(make(out), text)
    assert not obeyed(out.getvalue())


@given(TEXTS)
def test_on_a_terminal_there_are_colours_and_nothing_else(text: str) -> None:
    out = io.StringIO()
    console = Console(
        file=out,
        width=80,
        force_terminal=False,
        color_system="standard",
        highlight=False,
        markup=False,
        emoji=False,
    )
    tell(console, text)
    assert not obeyed(COLOURS.sub("", out.getvalue()))


@given(TEXTS)
def test_a_recording_has_colours_and_lines_and_nothing_else(text: str) -> None:
    one = outcome(text, failed=True)
    events = [
        Event(0.0, "begin", (one.step, 1, 2, 0.0)),
        Event(0.1, "command", (one.results[0][0],)),
        *(Event(0.2, "line", (line,)) for line in text.split("\n")),
        Event(0.3, "waiting", (Proof(False, Text("proof.ended", {"what": text})),)),
        Event(0.4, "end", (one,)),
    ]

    def teller(console: Console, **more: Any) -> Full:
        return Full(console, "en", {}, "kind", {}, **more)

    written = cast(events, teller, "en", "title", 1.0)
    assert not obeyed(written)
    header, *lines = [json.loads(line) for line in written.splitlines()]
    assert header["version"] == 2
    for _, kind, shown in lines:
        assert kind == "o"
        lines_only = shown.replace("\r\x1b[2K", "").replace("\r\n", "\n")
        assert not obeyed(COLOURS.sub("", lines_only))


# --- lessons


@given(TEXTS)
def test_a_teachers_lesson_is_text(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("lessons") / "en.md"
    body = f"## scale | A title {text.splitlines()[0] if text.splitlines() else ''}\n\n{text}\n"
    file.write_text(body.encode("utf-8", "replace").decode(), encoding="utf-8")
    try:
        read = lessons.parse(lessons.read(file), "en.md")
    except UsageError as error:
        out = io.StringIO()
        print_error(make(out), error, "en")
        assert not obeyed(out.getvalue())
        return
    for lesson in read.values():
        out = io.StringIO()
        full = Full(make(out), "en", read, "kind", {})
        full.begin(replace(step("scale"), id=lesson.id), 1, 1, 0.0)
        assert not obeyed(out.getvalue())


# --- manifests


@given(TEXTS)
@example("\x85")
@example("a\u2028b\n \u2029")
def test_yaml_of_the_kind_config_says_what_the_file_said(text: str) -> None:
    from kubetour.manifests import kind_config, to_yaml

    config = {"kind": "Cluster", "nodes": [{"role": "control-plane", "labels": {"a": text}}], "name": text}
    try:
        written = to_yaml(kind_config(config, None, 1, 2))
    except UnicodeEncodeError:
        pytest.fail("half of a surrogate pair cannot come from a file that is UTF-8")
    try:
        read = yaml.safe_load(written)
    except yaml.reader.ReaderError:  # what YAML cannot hold is refused, not misread
        return
    assert read["name"] == text
    assert read["nodes"][0]["labels"]["a"] == text
    assert set(read) == {"kind", "nodes", "name"}


def test_a_hundred_thousand_names_images_and_documents_are_refused_or_safe() -> None:
    """Rule 24: pieces of good and of hostile words, put together at random, and always the same."""
    chance = random.Random(24)  # noqa: S311 - it makes examples
    pieces = [
        *hostile.ALL[:60],
        *"abz09-._/:@",
        "web",
        "registry.example:5000",
        "sha256:",
        "0" * 64,
        "[::1]",
        "a.b",
    ]
    rules_ = {
        name: FIELDS[name].metadata["rule"] for name in ("image", "node_image", "registry", "name", "host")
    }
    accepted = 0
    for _ in range(20_000):
        text = "".join(chance.choices(pieces, k=chance.randint(1, 5)))
        for name, rule in rules_.items():
            try:
                value = rule.apply(text)
            except ValueError:
                continue
            accepted += 1
            assert re.fullmatch(r"(?!-)[\w.:/@+\[\]-]*", value, re.ASCII), (name, text)
    assert accepted > 2000, "it is not that everything is refused"
    for _ in range(5_000):
        text = "".join(chance.choices([*pieces, *"{}[],:&*!|>#\n "], k=chance.randint(1, 12)))
        try:
            json.dumps(from_yaml(text.encode("utf-8", "surrogatepass")), allow_nan=False)
        except ValueError:
            continue
