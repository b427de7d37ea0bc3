"""Small pictures from a proof's data."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from kubetour.proofs.common import human_size
from kubetour.terminal.pictures import BAR, bars, layers, nodes, picture, size, structure


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0B", 0),
        ("12B", 12),
        ("2.1kB", 2100),
        ("104MB", 104e6),
        ("1.5GB", 1.5e9),
        ("", 0),
        ("big", 0),
        ("xMB", 0),
    ],
)
def test_a_size_is_read_as_docker_prints_it(text: str, count: float) -> None:
    assert size(text) == pytest.approx(count)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0B"), (999, "999B"), (2100, "2.1kB"), (104e6, "104MB"), (1.5e9, "1.5GB")]
)
def test_a_size_is_shown_as_docker_prints_it(count: float, text: str) -> None:
    assert human_size(count) == text


LOAD = {
    "rate": 50.0,
    "seconds": [
        {"at": 0, "ok": 50, "failed": 0, "by": {}},
        {"at": 1, "ok": 20, "failed": 30, "by": {}},
        {"at": 2, "ok": 0, "failed": 1, "by": {}},
        {"at": 3, "ok": 0, "failed": 0, "by": {}},
    ],
    "marks": [{"at": 0.5, "text": "kubectl scale"}, {"at": 1.25, "text": "kubectl rollout"}],
}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_load_is_a_bar_for_each_second_with_what_failed_and_the_commands_where_they_began(
    language: str,
) -> None:
    heading, *lines = picture("scale-under-load", {"load": LOAD}, language)
    assert "50" in heading
    assert lines == [
        "   0.5s ┄ $ kubectl scale",
        f"    0s  {'█' * 30}    50",
        "   1.2s ┄ $ kubectl rollout",
        f"    1s  {'█' * 12}{'░' * 18}    20  30 ✗",
        f"    2s  ░{' ' * 29}     0  1 ✗",
        f"    3s  {' ' * 30}     0",
    ]
    widest = {"at": 3599, "ok": 1000, "failed": 1000, "by": {}}
    mark = {"at": 3599.0, "text": "x" * 60}
    wide = picture("scale-under-load", {"load": {**LOAD, "seconds": [widest], "marks": [mark]}}, language)
    assert max(map(cell_len, wide)) <= 80


def test_layers_are_cumulated() -> None:
    rows = [{"instruction": "ADD /", "size": "8MB"}, {"instruction": "COPY " + "x" * 90, "size": "2MB"}]
    lines = layers(rows)
    assert lines[0].split() == ["8MB", "8MB", "ADD", "/"]
    assert lines[1].split()[:2] == ["2MB", "10MB"]
    assert max(map(len, lines)) <= 80


def test_answers_are_bars_to_scale() -> None:
    lines = bars({"a": 10, "bb": 5, "c": 0})
    assert [line.count("█") for line in lines] == [BAR, BAR // 2, 0]
    assert [line.split()[-1] for line in lines] == ["10", "5", "0"]
    assert bars({}) == ()


def test_every_node_shows_its_pods_in_order() -> None:
    assert nodes({"b": ["p"], "a": ["r", "q"]}) == ("  a", "    ├─ q", "    └─ r", "  b", "    └─ p")


CHAIN = {
    "deployment": "web",
    "replicasets": ["web-1"],
    "service": "web",
    "address": "10.96.0.7",
    "selector": {"app": "web"},
    "endpoints": ["web-1-a"],
    "pods": [
        {"name": "web-1-a", "node": "node-1", "address": "10.244.0.2", "ready": True},
        {"name": "web-1-b", "node": "node-2", "address": "10.244.1.2", "ready": False},
    ],
}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_logical_picture_goes_from_request_to_deployment(language: str) -> None:
    text = "\n".join(structure(CHAIN, language))
    order = ["Service web", "├─▶ ● Pod web-1-a", "└─▶ ○ Pod web-1-b", "ReplicaSet web-1", "Deployment web"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_a_step_without_a_picture_has_none() -> None:
    assert picture("tools", {}, "en") == ()
    assert picture("picture", CHAIN, "en") == structure(CHAIN, "en")


@pytest.mark.parametrize("step", ["hit-all", "spread", "keep-alive", "port-forward"])
def test_where_nobody_knows_who_answered_there_are_no_bars(step: str) -> None:
    assert picture(step, {}, "en") == ()
    assert len(picture(step, {"answers": {"web-a": 1, "web-b": 0}}, "en")) == 2
