"""Drawings: well-formed, every object in them, and nothing of theirs can leave the text it stands in."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from kubetour.html.drawings import MOST, SMALL, nodes, structure
from tests.html.sample import CHAIN, PODS

ODD = "<b>&\"'\x1b[31m\u202e"


def texts(drawing: object) -> list[str]:
    """Return the texts of an SVG that is parsed as strictly as XML is."""
    root = ElementTree.fromstring(str(drawing))
    return ["".join(element.itertext()) for element in root.iter("text")]


def height(drawing: object) -> int:
    return int(ElementTree.fromstring(str(drawing)).attrib["viewBox"].split()[3])


def chain(count: int, name: str = "web") -> dict[str, Any]:
    pods = [{"name": f"{name}-{i}", "node": name, "address": name, "ready": True} for i in range(count)]
    names = dict.fromkeys(("deployment", "service", "address"), name)
    return {**names, "replicasets": [name], "selector": {name: name}, "endpoints": [name], "pods": pods}


def test_the_structure_names_every_object_from_the_request_to_the_deployment() -> None:
    found = texts(structure(CHAIN, "title"))
    assert found[:2] == ["request", "请求"]
    assert found[2:5] == ["Serviceweb", "10.96.0.10 · app=web", "EndpointSlice3 × Pod"]
    assert [text for text in found if text.startswith("Pod")] == [f"Pod{name}" for name in PODS]
    assert "ReplicaSetweb-5d7cbddd68" in found
    assert found[-1] == "Deploymentweb"


def test_a_pod_that_is_not_ready_is_marked() -> None:
    assert str(structure(CHAIN, "title")).count('<circle class="ready"') == 2
    assert str(structure(CHAIN, "title")).count('<circle class="waiting"') == 1


def test_each_node_has_its_pods() -> None:
    found = texts(nodes({"b": ["web-2", "web-1"], "a": ["web-3"]}, "title"))
    assert found == ["a", "1 × Pod", "web-3", "b", "2 × Pod", "web-1", "web-2"]


@pytest.mark.parametrize("count", [0, 1, MOST])
def test_some_pods_have_a_row_each(count: int) -> None:
    assert sum(text.startswith("Podweb-") for text in texts(structure(chain(count), "title"))) == count
    assert len(texts(nodes({"n": [str(i) for i in range(count)]}, "t"))) == 2 + count


def test_many_pods_are_drawn_by_node_and_none_is_left_out() -> None:
    data = chain(50)
    for index, item in enumerate(data["pods"]):
        item.update(node=f"worker{index % 2}", ready=index > 0)
    drawing = structure(data, "title")
    found = texts(drawing)
    assert [text for text in found if text.startswith("Pod")] == ["Pod× 25", "Pod× 25"]
    assert {"worker0 · 24/25 Ready", "worker1 · 25/25 Ready"} <= set(found)
    assert str(drawing).count('<circle class="waiting"') == 1
    assert height(drawing) < 600


def test_pods_on_very_many_nodes_are_a_number_at_last() -> None:
    data = chain(50)
    for index, item in enumerate(data["pods"]):
        item.update(node=f"worker{index:02}")
    assert f"… + {50 - MOST}" in texts(structure(data, "title"))


@pytest.mark.parametrize("count", [MOST + 1, 50, SMALL, SMALL + 1])
def test_many_pods_of_one_node_share_rows_up_to_a_number(count: int) -> None:
    drawing = nodes({"n": [f"web-5d7cbddd68-{i:05}" for i in range(count)]}, "t")
    found = texts(drawing)
    assert found[:3] == ["n", f"{count} × Pod", "…-00000"]
    assert sum(text.startswith("…-") for text in found) == min(count, SMALL)
    assert (f"… + {count - SMALL}" in found) == (count > SMALL)
    assert height(drawing) < 1000


def test_odd_names_stay_text() -> None:
    for drawing in (structure(chain(1, ODD), "t"), nodes({ODD: [ODD]}, "t")):
        found = texts(drawing)
        assert any("<b>&\"'" in text for text in found)
        assert not any("\x1b" in text or "\u202e" in text for text in found)


def test_a_long_name_keeps_its_end_which_tells_pods_apart() -> None:
    name = "a-very-long-name-of-a-deployment-of-someone-5d7cbddd68-"
    found = texts(nodes({"n": [name + "aaaaa", name + "bbbbb"]}, "t"))
    assert found[-1].endswith("5d7cbddd68-bbbbb")
    assert len(found[-1]) == 36
