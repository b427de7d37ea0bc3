"""What is kept in `.kubetour/`: whole files, a ledger, and a lock that the kernel frees."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubetour.errors import LockedError, ResourceError
from kubetour.state import State


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / ".kubetour")


def test_what_is_not_there_is_empty(state: State) -> None:
    assert state.remembered() == {}
    assert state.created() == ()
    assert state.ports() == {}
    assert not state.root.exists(), "reading makes nothing"


def test_settings_and_ports_are_kept_for_the_next_command(state: State) -> None:
    state.remember({"image": "商店", "replicas": 5})
    state.keep_ports({"host": 30081})
    again = State(state.root)
    assert again.remembered() == {"image": "商店", "replicas": 5}
    assert again.ports() == {"host": 30081}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"a": 1'])
@pytest.mark.parametrize("file", ["last.json", "created.json", "ports.json"])
def test_a_broken_file_counts_as_absent_and_is_written_anew(state: State, file: str, content: bytes) -> None:
    state.root.mkdir()
    (state.root / file).write_bytes(content)
    assert (state.remembered(), state.created(), state.ports()) == ({}, (), {})
    state.remember({"image": "a"})
    state.add("x/y")
    state.keep_ports({"host": 1})
    assert (state.remembered(), state.created(), state.ports()) == ({"image": "a"}, ("x/y",), {"host": 1})


@pytest.mark.parametrize("content", ['{"created": null}', '{"created": "ab"}', '{"created": [1, {}]}'])
def test_a_ledger_of_another_form_never_names_what_nobody_made(state: State, content: str) -> None:
    state.root.mkdir()
    (state.root / "created.json").write_text(content)
    assert state.created() == ()


KEY = ("image", "web:1", "sha256:1")


def test_the_slate_keeps_what_was_there_before_and_all_that_was_made_until_nothing_is_left(
    state: State,
) -> None:
    state.begin_slate([KEY])
    state.add("x/1", "y/2")
    state.note("z/3")
    state.strike("x/1", "y/2")
    assert state.created() == ()
    assert state.made() == ("x/1", "y/2", "z/3")
    assert state.before() == {KEY}
    state.begin_slate([])
    assert state.made() == ()
    assert state.before() == set()
    state.end_slate()
    state.end_slate()
    assert not (state.root / "slate.json").exists()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"made": "ab", "before": 1}', '{"made": [1], "before": ["abc", [1], {}]}']
)
def test_a_slate_of_another_form_counts_as_clean(state: State, content: str) -> None:
    state.root.mkdir()
    (state.root / "slate.json").write_text(content)
    assert state.made() == ()
    assert state.before() == set()
    state.add("x/1")
    assert state.made() == ("x/1",)


def test_a_host_has_a_slate_of_its_own(state: State) -> None:
    state.of("me@there").add("x/1")
    assert state.made() == ()


ENTRIES = st.lists(st.tuples(st.sampled_from(["add", "strike"]), st.sampled_from(["a/1", "b/2", "c/3"])))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ENTRIES)
def test_the_ledger_holds_what_was_added_and_not_struck_oldest_first(
    tmp_path: Path, entries: list[tuple[str, str]]
) -> None:
    state = State(tmp_path)
    state.strike("a/1", "b/2", "c/3")
    expected: list[str] = []
    for verb, entry in entries:
        getattr(state, verb)(entry)
        if verb == "add" and entry not in expected:
            expected.append(entry)
        if verb == "strike" and entry in expected:
            expected.remove(entry)
    assert state.created() == tuple(expected)


def test_adding_nothing_writes_nothing(state: State) -> None:
    state.add()
    state.strike()
    assert not state.root.exists()


def test_a_write_that_fails_leaves_the_old_file_whole_and_no_other(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.remember({"image": "old"})

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceError) as caught:
        state.remember({"image": "new"})
    assert caught.value.key == "file-unwritable"
    assert caught.value.values["reason"] == "No space left on device"
    assert state.remembered() == {"image": "old"}
    assert [path.name for path in state.root.iterdir()] == ["last.json"]


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    state = State(tmp_path / "file" / "state")
    with pytest.raises(ResourceError):
        state.remember({})
    with pytest.raises(ResourceError):
        state.new_run()
    with pytest.raises(ResourceError), state.lock():
        pass


def test_every_run_has_a_directory_of_its_own(state: State) -> None:
    runs = {state.new_run() for _ in range(5)}
    assert len(runs) == 5
    assert all(run.is_dir() and run.parent == state.root / "runs" for run in runs)


HOLDER = """
import sys
from pathlib import Path
from kubetour.state import State
with State(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_held_by_another_process_is_refused_with_its_id_and_freed_when_it_is_killed(
    state: State,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(state.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError) as caught, state.lock():
            pass
        assert caught.value.values == {"pid": str(holder.pid)}
        assert caught.value.exit_status == 8
        holder.send_signal(signal.SIGKILL)
        holder.wait(10)
    with state.lock():
        assert (state.root / "lock").read_text() == str(os.getpid())


def test_what_a_run_left_that_was_killed_as_it_wrote_is_gone_with_the_next(state: State) -> None:
    state.add("kind-cluster/k")
    of_host = state.of("ann@host")
    of_host.add("kind-cluster/k")
    drafts = [each.place / ".created.json.x1y2" for each in (state, of_host)]
    others = [state.root / ".report.html.x1y2", state.root / "runs" / "created.json"]
    for path in (*drafts, *others):
        path.parent.mkdir(exist_ok=True)
        path.write_text('{"created": [')
    with state.lock():
        assert [each.exists() for each in (*drafts, *others)] == [False, True, True, True]
    with of_host.lock():
        assert not drafts[1].exists()
    assert state.created() == of_host.created() == ("kind-cluster/k",)


def test_a_lock_is_free_again_after_an_error(state: State) -> None:
    with pytest.raises(ValueError, match="x"), state.lock():
        raise ValueError("x")
    with state.lock():
        pass


def test_what_was_made_on_a_host_has_a_ledger_of_its_own_and_the_settings_are_the_checkouts(
    state: State,
) -> None:
    there, other = state.of("me@server:22"), state.of("me@server_22")
    state.add("kind-cluster/here")
    there.add("kind-cluster/there")
    there.keep_ports({"host": 30081})
    there.remember({"host": "me@server:22"})
    assert (state.created(), there.created(), other.created()) == (
        ("kind-cluster/here",),
        ("kind-cluster/there",),
        (),
    )
    assert (state.ports(), there.ports()) == ({}, {"host": 30081})
    assert state.remembered() == {"host": "me@server:22"}
    assert state.of("").created() == state.created()


@pytest.mark.parametrize("host", ["../../etc", "/etc", "a/b", "[::1]:22"])
def test_no_name_of_a_host_leads_out_of_the_state(state: State, host: str) -> None:
    place = state.of(host).place
    assert place.parent == state.root / "hosts"


def test_how_an_app_tells_who_answers_is_kept_for_that_image_alone(state: State) -> None:
    assert state.told("shop:1") is None
    state.keep_told("shop:1", "")
    assert state.told("shop:1") == ""
    state.keep_told("shop:2", "header")
    assert (state.told("shop:1"), state.told("shop:2")) == (None, "header")
