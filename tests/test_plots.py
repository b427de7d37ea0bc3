"""The pictures of benchmarks: every round is there, and a bound that does not hold is seen."""

from __future__ import annotations

import itertools
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from benchmarks.plots import growth_svg, ratios_svg, write
from benchmarks.results import Ratio, Result, document

SVG = "{http://www.w3.org/2000/svg}"


def drawn(text: str) -> ET.Element:
    return ET.fromstring(text)


def of(root: ET.Element, tag: str, name: str) -> list[ET.Element]:
    return [each for each in root.iter(f"{SVG}{tag}") if each.get("class") == name]


def ratios(*found: Ratio) -> Any:
    return document({"b": Result(list(found))})["benchmarks"]["b"]


def test_every_round_is_a_dot_and_lies_in_the_picture_in_its_order() -> None:
    root = drawn(ratios_svg(ratios(Ratio("a <b> & `c`", 2.0, (1.0, 2.0, 40.0), most=4.0))))
    across = [float(dot.get("cx", "nan")) for dot in of(root, "circle", "dot")]
    assert across == sorted(across)
    assert len(across) == 3
    assert all(0 < each < float(root.get("width", "0")) for each in across)
    assert "a <b> & c" in "".join(root.itertext())


@pytest.mark.parametrize(
    ("bound", "fails"), [({"most": 3.0}, 0), ({"most": 1.0}, 1), ({"least": 3.0}, 1), ({}, 0)]
)
def test_a_bound_that_does_not_hold_stands_out(bound: dict[str, Any], fails: int) -> None:
    root = drawn(ratios_svg(ratios(Ratio("r", 2.0, **bound))))
    assert len(of(root, "line", "bound")) == len(bound)
    assert len(of(root, "text", "fails")) == fails


def test_linear_growth_is_a_straight_line() -> None:
    root = drawn(growth_svg("Pods", "seconds", [(10, 1.0), (100, 10.0), (1000, 100.0)], 1.0))
    dots = [(float(d.get("cx", "nan")), float(d.get("cy", "nan"))) for d in of(root, "circle", "dot")]
    first, second = ((b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.pairwise(dots))
    assert first == pytest.approx(second, rel=0.01)
    assert first < 0  # upwards


def test_a_run_becomes_a_picture_for_each_benchmark_and_for_each_curve(tmp_path: Path) -> None:
    grown = Result([Ratio("r", 0.0)], {"x": "n", "y": "s", "points": [(1, 2.0), (2, 3.0)], "slope": 0.6})
    whole = json.loads(json.dumps(document({"fakes": grown, "tour": Result([])})))
    files = write(whole, tmp_path / "plots")
    assert [file.name for file in files] == ["fakes.svg", "tour.svg", "fakes-growth.svg"]
    assert all(drawn(file.read_text(encoding="utf-8")).tag == f"{SVG}svg" for file in files)
