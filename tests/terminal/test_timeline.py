"""The picture of scaling in a terminal."""

from __future__ import annotations

from typing import Any

import pytest
from rich.cells import cell_len

from kubetour.terminal.pictures import picture as any_picture
from kubetour.terminal.timeline import BAR, picture

ROW: dict[str, Any] = {
    "name": "web-1-abcde",
    "node": "node-1",
    "created": 0.1,
    "scheduled": 0.11,
    "pulled": None,
    "started": 0.5,
    "ready": 1.0,
    "endpoint": 1.0,
}
TIMES = {"deployment": 0.05, "replicaset": None, "pods": [ROW]}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_pod_has_a_line_with_its_times_and_a_bar(language: str) -> None:
    title, heading, line = picture(TIMES, language)
    assert "50" in title
    assert line.split()[:7] == ["…abcde", "100", "110", "–", "500", "1000", "1000"]
    assert len(line) - len(line.rstrip("░▒█ ")) <= BAR + 2
    assert line.count("█") == 1
    assert line.count("▒") == BAR // 2 - 1
    assert cell_len(heading) == cell_len(line[: line.rindex("1000") + 4])  # the columns are aligned


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("seconds", [0.001, 1.0, 9999.0])
def test_it_fits_into_80_columns(language: str, seconds: float) -> None:
    pods = [{**ROW, **dict.fromkeys(("created", "started", "ready", "endpoint"), seconds)}]
    for line in picture({"deployment": seconds, "replicaset": seconds, "pods": pods}, language):
        assert cell_len(line) <= 80


def test_without_new_pods_there_is_no_picture() -> None:
    assert picture({"deployment": None, "replicaset": None, "pods": []}, "en") == ()


def test_a_pod_of_which_nothing_more_was_seen_has_no_bar_beyond_its_creation() -> None:
    unseen = {**ROW, **dict.fromkeys(("scheduled", "started", "ready", "endpoint"))}
    assert picture({**TIMES, "pods": [unseen]}, "en")[2].count("–") == 5


def test_the_step_of_scaling_has_this_picture() -> None:
    assert any_picture("scale", {"timeline": TIMES}, "en") == picture(TIMES, "en")
