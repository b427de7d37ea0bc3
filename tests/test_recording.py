"""Recordings of what the watches tell."""

from __future__ import annotations

from typing import Any

from kubetour.recording import Recorder, Recording


def pod(name: str, phase: str = "Running") -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": name}, "status": {"phase": phase}}


def told(recording: Recording) -> list[tuple[str, str, str]]:
    return [
        (change.resource, change.event, change.object["metadata"]["name"]) for change in recording.changes()
    ]


def test_a_recording_begins_with_what_is_there() -> None:
    recording = Recorder().begin({"pods": {"a": pod("a"), "b": pod("b")}})
    assert told(recording) == [("pods", "ADDED", "a"), ("pods", "ADDED", "b")]


def test_a_recording_hears_of_its_resources_only_and_until_it_ends() -> None:
    recorder = Recorder()
    one, two = recorder.begin({"pods": {}}), recorder.begin({"pods": {}, "nodes": {}})
    recorder.told("nodes", "ADDED", pod("n"))
    recorder.told("pods", "MODIFIED", pod("a"))
    recorder.end(one)
    recorder.told("pods", "DELETED", pod("a"))
    assert told(one) == [("pods", "MODIFIED", "a")]
    assert told(two) == [("nodes", "ADDED", "n"), ("pods", "MODIFIED", "a"), ("pods", "DELETED", "a")]


def test_what_a_list_shows_after_a_gap_is_told_as_changes() -> None:
    recorder = Recorder()
    before = {"same": pod("same"), "other": pod("other", "Pending"), "gone": pod("gone")}
    recording = recorder.begin({"pods": before})
    recorder.listed("pods", before, {"same": pod("same"), "other": pod("other"), "new": pod("new")})
    assert told(recording)[3:] == [
        ("pods", "MODIFIED", "other"),
        ("pods", "ADDED", "new"),
        ("pods", "DELETED", "gone"),
    ]


def test_the_times_of_changes_never_go_back() -> None:
    recorder = Recorder()
    recording = recorder.begin({"pods": {"a": pod("a")}})
    recorder.told("pods", "MODIFIED", pod("a"))
    times = [change.at for change in recording.changes()]
    assert times == sorted(times)
