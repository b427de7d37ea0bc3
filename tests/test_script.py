"""Commands as text: what is shown is what a real shell runs, whatever stands in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubetour.errors import UsageError
from kubetour.script import LONGEST, program, script, shell
from kubetour.steps import Lookup, Run
from tests.making import ANSWERS, NO_ANSWER, NOT_THERE, NOT_TRIED, climb, sh, step

# Prints its arguments and its input, each with a NUL behind it, which no argument can hold.
TELL = (
    sys.executable,
    "-c",
    "import sys; sys.stdout.buffer.write(b''.join(a.encode() + b'\\0' for a in sys.argv[1:]) "
    "+ sys.stdin.buffer.read())",
)
HOSTILE = st.text(
    alphabet=st.one_of(
        st.sampled_from(" \t\n'\"$`\\!*?[]{}()<>|&;#~=%-E0O"), st.characters(exclude_categories=["Cs"])
    ),
    max_size=12,
).map(lambda text: text.replace("\0", ""))


def told(*runs: Run) -> bytes:
    done = subprocess.run(
        ["/bin/sh", "-c", "\n".join(shell(run) for run in runs)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=30,
    )
    assert not done.stderr
    return done.stdout


@settings(max_examples=15)
@given(st.lists(HOSTILE, max_size=4))
def test_every_argument_arrives_as_it_was(argv: list[str]) -> None:
    assert told(Run((*TELL, *argv))) == b"".join(word.encode() + b"\0" for word in argv)


@pytest.mark.parametrize("text", ["Eé", "EO中", "EOFé", "Eé\nIé\nEOF", "中\nE\nEOF"])
def test_a_line_that_begins_like_the_mark_loses_nothing(text: str) -> None:
    assert told(Run(TELL, text)).decode() == text + "\n"


@settings(max_examples=15)
@given(
    st.one_of(HOSTILE, st.lists(st.sampled_from(["EOF", "EOFF", "'EOF'", "$x", "", "a: b"])).map("\n".join))
)
def test_the_input_arrives_as_it_was_but_for_one_newline_at_its_end(text: str) -> None:
    assert told(Run(TELL, text)).decode() == text.rstrip("\n") + "\n"


def test_what_is_looked_up_stands_in_its_place() -> None:
    look = Lookup(Run(("printf", "%s", "10.96.0.7")), "http://", ":80/")
    assert told(Run((*TELL, look))) == b"http://10.96.0.7:80/\0"


@settings(max_examples=15)
@given(HOSTILE, HOSTILE, HOSTILE)
def test_what_is_looked_up_is_one_word_with_its_text_around(before: str, found: str, after: str) -> None:
    look = Lookup(Run(("printf", "%s", f"{found}.")), before, after)
    assert told(Run((*TELL, look))).decode() == f"{before}{found}.{after}\0"


@pytest.mark.parametrize(
    ("run", "text"),
    [
        (Run(("kubectl", "get", "pods")), "kubectl get pods"),
        (Run(("curl", "-H", "Connection: close")), "curl -H 'Connection: close'"),
        (Run(("kubectl", "apply", "-f", "-"), "a: b\n"), "kubectl apply -f - <<'EOF'\na: b\nEOF"),
        (Run(("x",), "EOF\n"), "x <<'EOFF'\nEOF\nEOFF"),
        (
            Run(("curl", Lookup(Run(("kubectl", "get", "service")), "http://", ":80/"))),
            'curl "http://$(kubectl get service):80/"',
        ),
    ],
)
def test_a_command_looks_as_a_person_would_type_it(run: Run, text: str) -> None:
    assert shell(run) == text


def test_a_command_longer_than_a_shell_can_be_given_is_refused_and_one_just_short_enough_runs() -> None:
    overhead = len(shell(Run(("cat",), "x"))) - 1
    body = "ä" * ((LONGEST - overhead) // 2)
    assert told(Run(("cat",), body)).decode() == body + "\n"
    with pytest.raises(UsageError) as caught:
        shell(Run(("cat",), body + "ää"))
    assert caught.value.key == "command-too-long"


def printed(tmp_path: Path, text: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "tour.sh"
    file.write_text(text)
    return subprocess.run(
        ["sh", str(file)], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30
    )


TITLES = {"one": "First", "two": "Second"}


def test_a_script_does_the_steps_in_order_with_their_titles_as_comments(tmp_path: Path) -> None:
    steps = (
        step("one", "echo 1", confirm=(sh("echo confirmed"),)),
        step("two", "echo 2", "echo 3"),
    )
    text = script(steps, TITLES, ["Heading", ""], ["mkdir -p made"])
    assert text.startswith("#!/bin/sh\n# Heading\n#\nset -eu\nmkdir -p made\n# one: First\n")
    done = printed(tmp_path, text)
    assert (done.returncode, done.stdout) == (0, "1\nconfirmed\n2\n3\n")
    assert (tmp_path / "made").is_dir()


def test_a_script_stops_where_a_command_fails(tmp_path: Path) -> None:
    done = printed(tmp_path, script((step("one", "echo 1; exit 3"), step("two", "echo 2")), TITLES, [], []))
    assert (done.returncode, done.stdout) == (3, "1\n")


@pytest.mark.parametrize(("unless", "out"), [("exit 0", "confirmed\n"), ("exit 1", "acted\nconfirmed\n")])
def test_a_script_leaves_out_actions_that_are_already_done(tmp_path: Path, unless: str, out: str) -> None:
    one = step("one", "echo acted", unless=sh(f"echo noise; {unless}"), confirm=(sh("echo confirmed"),))
    assert printed(tmp_path, script((one,), TITLES, [], [])).stdout == out


def test_a_script_repeats_a_command_that_may_come_too_early(tmp_path: Path) -> None:
    one = step("one", "echo x >> tries; test $(wc -l < tries) -ge 2", again=True)
    done = printed(tmp_path, script((one, step("two", "echo 2")), TITLES, [], []))
    assert (done.returncode, done.stdout) == (0, "2\n")
    assert (tmp_path / "tries").read_text() == "x\nx\n"


def test_a_script_gives_up_a_command_that_never_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubetour.script.TRIES", 1)
    done = printed(
        tmp_path, script((step("one", "exit 1", again=True), step("two", "echo 2")), TITLES, [], [])
    )
    assert done.returncode != 0
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (("/usr/bin/kubectl", "get"), "kubectl"),
        (("env", "KUBECONFIG=a/b", "minikube", "start"), "minikube"),
        (("env",), ""),
        ((), ""),
    ],
)
def test_the_program_of_a_command_is_told_past_its_environment(argv: tuple[str, ...], name: str) -> None:
    assert program(Run(argv)) == name


@pytest.mark.parametrize(
    ("unless", "exists", "status", "acts"),
    [("true", "true", 0, False), ("false", "false", 0, True), ("false", "true", 9, False)],
    ids=["already done", "not there", "there, and maybe not ours"],
)
def test_a_script_leaves_alone_what_is_there_and_not_ready(
    unless: str, exists: str, status: int, acts: bool
) -> None:
    one = step("make", "echo acted", unless=sh(unless), exists=sh(exists))
    done = subprocess.run(
        ["/bin/sh", "-c", script((one,), {"make": "Make"}, (), ())],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == status
    assert (done.stdout == "acted\n") is acts


@pytest.mark.parametrize(("exists", "status"), [("false", 0), ("true", 9)])
def test_a_script_leaves_alone_what_an_experiment_would_make_and_take_back(exists: str, status: int) -> None:
    one = step("try", "echo acted", exists=sh(exists), rescue=(sh("echo taken back"),))
    done = subprocess.run(
        ["/bin/sh", "-c", script((one, step("next")), {"try": "Try", "next": "Next"}, (), ())],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == status
    assert done.stdout == ("" if status else "acted\n")


def test_a_script_that_fails_takes_back_all_it_can_and_keeps_its_exit_status() -> None:
    one = step("try", "exit 3", rescue=(sh("echo one; exit 1"), sh("echo two; exit 1")))
    done = subprocess.run(
        ["/bin/sh", "-c", script((one,), {"try": "Try"}, (), ())],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (3, "one\ntwo\n")


def test_what_a_step_would_take_back_is_safe_once_the_next_has_nothing_to_do() -> None:
    one = step("try", "echo acted", rescue=(sh("echo taken back; exit 1"),))
    done_already = step("next", "echo again", unless=sh("true"), creates=("a/b",))
    done = subprocess.run(
        ["/bin/sh", "-c", script((one, done_already), {"try": "Try", "next": "Next"}, (), ())],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (0, "acted\n")


def test_a_script_climbs_the_ladder_and_keeps_to_the_rung_that_holds(tmp_path: Path) -> None:
    steps = climb(NO_ANSWER, NOT_THERE, ANSWERS, NOT_TRIED)
    done = printed(tmp_path, script(steps, {"hit": "Hit", "hit-all": "Hit all"}, [], []))
    assert (done.returncode, done.stdout) == (0, "http://c:80/and http://c:80/?2")


def test_a_script_gives_up_where_no_rung_ever_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubetour.script.TRIES", 1)
    steps = climb(NO_ANSWER, NOT_THERE)
    done = printed(tmp_path, script(steps, {"hit": "Hit", "hit-all": "Hit all"}, [], []))
    assert done.returncode != 0
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("first", "second", "out"),
    [("exit 3", "true", "saved\n"), ("true", "exit 3", ""), ("true", "true", "")],
    ids=["it fails", "a later one fails", "none fails"],
)
def test_a_script_runs_a_steps_rescue_where_that_step_fails_and_only_there(
    tmp_path: Path, first: str, second: str, out: str
) -> None:
    steps = (step("one", first, rescue=(sh("echo saved"),)), step("two", second))
    done = printed(tmp_path, script(steps, TITLES, [], []))
    assert (done.returncode, done.stdout) == (3 if "exit 3" in (first, second) else 0, out)


def test_a_script_puts_back_what_a_step_has_changed_where_that_fails(tmp_path: Path) -> None:
    one = step("one", "exit 3", rescue=(sh("echo saved"),), restore=(sh("echo as before"),))
    done = printed(tmp_path, script((one,), TITLES, [], []))
    assert (done.returncode, done.stdout) == (3, "saved\nas before\n")


def test_a_script_whose_last_step_has_a_rescue_ends_without_it(tmp_path: Path) -> None:
    done = printed(tmp_path, script((step("one", "true", rescue=(sh("echo saved"),)),), TITLES, [], []))
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("unless", "exists", "told"),
    [("true", "false", "late\n"), ("false", "true", ""), ("false", "false", "saved\n")],
    ids=["found there", "there, and maybe not ours", "made here"],
)
def test_a_script_takes_back_only_what_it_made_itself(
    tmp_path: Path, unless: str, exists: str, told: str
) -> None:
    given: dict[str, Any] = {
        "unless": sh(unless),
        "exists": sh(exists),
        "confirm": (sh("echo late; exit 1"),),
    }
    one = step("one", "exit 1", rescue=(sh("echo saved"),), creates=("a/b",), **given)
    assert printed(tmp_path, script((one,), TITLES, [], [])).stdout == told


def test_a_script_goes_on_where_the_cluster_may_forbid_a_step(tmp_path: Path) -> None:
    one = step("one", "echo forbidden >&2; exit 1", refusable=True)
    done = printed(tmp_path, script((one, step("two", "echo 2")), TITLES, [], []))
    assert (done.returncode, done.stdout) == (0, "2\n")
    assert "one: Forbidden?" in done.stderr
