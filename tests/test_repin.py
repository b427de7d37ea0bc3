"""The script that writes pinned.json, against publishers and second sources on loopback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubetour import pins, repin
from kubetour.errors import IntegrityError, ToolError
from tests.serving import Server, serving

# By system, in the order in which they are asked for.
FIGURES = {system: letter * 64 for system, letter in zip(repin.SYSTEMS, "abcd", strict=True)}
FILES = tuple(f"text {figure}  kind\n" for figure in FIGURES.values())


def entry(publisher: Server, second: Server, **sha256: str) -> dict[str, Any]:
    return {
        "version": "v0.32.0",
        "least": "0.20",
        "base": publisher.url,
        "path": "{version}/kind-{os}-{arch}",
        "checksum": ".sha256sum",
        "confirmed_by": second.url,
        "sha256": {system.replace("_", "/"): figure for system, figure in sha256.items()},
    }


def test_only_figures_that_a_second_source_has_are_written() -> None:
    listed = f"text v0.33.0: {FIGURES['linux/amd64']}, {FIGURES['darwin/arm64']}"
    with serving(*FILES) as publisher, serving(listed) as second:
        made = repin.repin({"kind": entry(publisher, second, linux_amd64="0" * 64)}, {"kind": "v0.33.0"})
    assert made["kind"]["version"] == "v0.33.0"
    assert made["kind"]["sha256"] == {
        "linux/amd64": FIGURES["linux/amd64"],
        "darwin/arm64": FIGURES["darwin/arm64"],
    }
    assert publisher.asked == [
        f"/v0.33.0/kind-{system.replace('/', '-')}.sha256sum" for system in repin.SYSTEMS
    ]


def test_of_the_same_release_a_figure_stays_that_was_confirmed_before() -> None:
    with serving(*FILES) as publisher, serving("text nothing") as second:
        before = entry(publisher, second, darwin_arm64=FIGURES["darwin/arm64"])
        assert repin.repin({"kind": before}, {}) == {"kind": before}


def test_a_release_that_was_changed_is_an_error() -> None:
    with (
        serving(*FILES) as publisher,
        serving("text " + " ".join(FIGURES.values())) as second,
        pytest.raises(IntegrityError, match="download-tampered"),
    ):
        repin.repin({"kind": entry(publisher, second, linux_arm64="0" * 64)}, {})


def test_a_figure_that_is_none_is_an_error() -> None:
    with (
        serving("page") as publisher,
        serving("text nothing") as second,
        pytest.raises(IntegrityError, match="checksum-unreadable"),
    ):
        repin.repin({"kind": entry(publisher, second)}, {})


def test_a_second_source_that_is_away_takes_no_figure_out() -> None:
    with serving(*FILES) as publisher, serving("404") as second, pytest.raises(ToolError, match="404"):
        repin.repin({"kind": entry(publisher, second)}, {})


class TestCommand:
    @pytest.fixture
    def pinned(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        path = tmp_path / "pinned.json"
        monkeypatch.setattr(repin, "PINNED", path)
        return path

    def test_it_writes_the_file_anew(self, pinned: Path) -> None:
        listed = "text " + " ".join(FIGURES.values())
        with serving(*FILES) as publisher, serving(listed) as second:
            pinned.write_text(json.dumps({"kind": entry(publisher, second)}))
            assert repin.main(["kind=v0.33.0"]) == 0
        assert json.loads(pinned.read_text())["kind"]["sha256"] == FIGURES

    def test_after_trouble_the_file_is_as_it_was(
        self, pinned: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with serving("404") as publisher, serving("text nothing") as second:
            before = json.dumps({"kind": entry(publisher, second)})
            pinned.write_text(before)
            assert repin.main([]) == 3
        assert "HTTP 404" in capsys.readouterr().err
        assert pinned.read_text() == before

    @pytest.mark.parametrize("word", ["helm=v3", "kind", "kind="])
    def test_it_says_how_it_is_called(
        self, word: str, pinned: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        pinned.write_text('{"kind": {}}')
        assert repin.main([word]) == 2
        assert "python -m kubetour.repin" in capsys.readouterr().err


def test_the_real_file_is_as_the_script_would_write_it() -> None:
    text = pins.PINNED.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=2) + "\n"
