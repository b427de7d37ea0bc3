"""What the commands print: sizes, times, templates, tables."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from kubetour.embedded import gotemplate, imageformat, units
from kubetour.embedded.errors import EmbeddedError
from tests.embedded.making import build

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0B"), (999, "999B"), (1000, "1kB"), (2268, "2.27kB"), (104349858, "104MB"), (5 * 10**9, "5GB")],
)
def test_sizes(count: int, text: str) -> None:
    assert units.human_size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.5, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (61, "About a minute"),
        (180, "3 minutes"),
        (3600, "About an hour"),
        (7200, "2 hours"),
        (86400 * 3, "3 days"),
        (86400 * 21, "3 weeks"),
        (86400 * 90, "3 months"),
        (86400 * 365 * 3, "3 years"),
    ],
)
def test_times(seconds: float, text: str) -> None:
    assert units.human_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60), ("1m30s", 90), ("500ms", 0.5), ("0", 0), ("1.5h", 5400), (".5s", 0.5)]
)
def test_durations_as_go_writes_them(text: str, seconds: float) -> None:
    assert units.parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "60", "s", "1x", "-1s", "1s ", "1m 30s"])
def test_what_is_no_duration_is_told(text: str) -> None:
    with pytest.raises(EmbeddedError, match="give a number with its unit"):
        units.parse_duration(text)


VALUE: dict[str, Any] = {"ID": "1", "N": {"M": [1, 2]}, "Ok": True}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.ID}}:{{ .N.M }}", "1:[1,2]"),
        ("json", '{"ID":"1","N":{"M":[1,2]},"Ok":true}'),
        ("{{json .}}", '{"ID":"1","N":{"M":[1,2]},"Ok":true}'),
        ("{{json .N}}", '{"M":[1,2]}'),
        ("{{.Ok}}\\t{{json .ID}}", 'true\t"1"'),
        ("plain", "plain"),
    ],
)
def test_templates(template: str, text: str) -> None:
    assert gotemplate.render(template, VALUE) == text


@pytest.mark.parametrize("template", ["{{range .N}}x{{end}}", "{{.Nope}}", "{{.N.Nope}}"])
def test_templates_that_cannot_be_filled_in_are_told(template: str) -> None:
    with pytest.raises(EmbeddedError, match="--format"):
        gotemplate.render(template, VALUE)


@pytest.fixture
def image(tmp_path: Path) -> Any:
    text = "FROM scratch\nCOPY a /a\nENV long={}\nUSER 1000".format("x" * 60)
    return build(tmp_path, text, {"a": "x" * 2268}, now=lambda: NOW)[0]


def test_history_has_dockers_columns_the_newest_first(image: Any) -> None:
    rows = imageformat.history(image, NOW + timedelta(hours=2), truncate=True)
    assert [(row["CreatedBy"][:9], row["Size"], row["ID"] == "<missing>") for row in rows] == [
        ("USER 1000", "0B", False),
        ("ENV long=", "0B", True),
        ("COPY a /a", "2.27kB", True),
        ("FROM scra", "0B", True),
    ]
    assert len(rows[1]["CreatedBy"]) == 45
    assert rows[0]["CreatedSince"] == "2 hours ago"
    assert rows[3]["Comment"] == "an empty image"
    whole = imageformat.history(image, NOW, truncate=False)
    assert len(whole[1]["CreatedBy"]) == 69
    assert whole[0]["ID"] == image.id


def test_inspect_has_dockers_shape(image: Any) -> None:
    found = imageformat.inspect(image)
    assert found["Id"] == image.id
    assert found["RepoTags"] == ["app:1"]
    assert found["Size"] == 2268
    assert found["Config"]["User"] == "1000"
    assert found["RootFS"] == {"Type": "layers", "Layers": image.config["rootfs"]["diff_ids"]}


def test_a_node_tells_an_image_as_the_cri_does(image: Any) -> None:
    status = imageformat.cri_inspect(image)["status"]
    assert status["id"] == image.id
    assert status["repoTags"] == ["docker.io/library/app:1"]
    assert (status["size"], status["uid"]) == ("2268", {"value": "1000"})


def test_tables_are_as_wide_as_they_must_be() -> None:
    rows = [{"a": "1", "b": "x"}, {"a": "12345", "b": ""}]
    assert imageformat.table(rows, {"AA": "a", "B": "b"}) == "AA      B\n1       x\n12345\n"
