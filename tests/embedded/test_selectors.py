"""Label and field selectors."""

from __future__ import annotations

from typing import Any

import pytest

from kubetour.embedded.api import StatusError
from kubetour.embedded.resources import by_plural
from kubetour.embedded.selectors import (
    format_label_selector,
    from_label_selector,
    parse_fields,
    parse_labels,
)


@pytest.mark.parametrize(
    ("selector", "labels", "matches"),
    [
        ("", {}, True),
        ("a=1", {"a": "1"}, True),
        ("a==1", {"a": "2"}, False),
        ("a!=1", {}, True),
        ("a!=1", {"a": "1"}, False),
        ("a in (1,2)", {"a": "2"}, True),
        ("a in (1, 2),b", {"a": "2"}, False),
        ("a notin (1,2)", {}, True),
        ("a", {"a": ""}, True),
        ("!a", {"a": ""}, False),
        ("!a,b=2", {"b": "2"}, True),
        ("a=", {"a": ""}, True),
        ("example.com/a=1", {"example.com/a": "1"}, True),
        ("a>3", {"a": "10"}, True),
        ("a<3", {"a": "x"}, False),
        (" a = 1 , b != 2 ", {"a": "1"}, True),
    ],
)
def test_a_label_selector(selector: str, labels: dict[str, str], matches: bool) -> None:
    assert parse_labels(selector).matches(labels) is matches


@pytest.mark.parametrize("selector", ["a b", "a in 1", "=1", "a in (1", "!", "a=(1)"])
def test_what_is_no_selector_is_400(selector: str) -> None:
    with pytest.raises(StatusError) as caught:
        parse_labels(selector)
    assert caught.value.code == 400


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        (None, "<none>"),
        ({}, "<none>"),
        ({"matchLabels": {"b": "2", "a": "1"}}, "a=1,b=2"),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["y", "x"]}]}, "a in (x,y)"),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, "!a"),
    ],
)
def test_a_label_selector_as_text(selector: Any, text: str) -> None:
    assert format_label_selector(selector) == text
    if text != "<none>":
        again = parse_labels(text).requirements
        assert set(again) == set(from_label_selector(selector).requirements)


POD = {
    "metadata": {"name": "p", "namespace": "n"},
    "spec": {"nodeName": "one"},
    "status": {"phase": "Running"},
}


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ("metadata.name=p", True),
        ("metadata.name=p,metadata.namespace=n", True),
        ("spec.nodeName!=one", False),
        ("status.phase==Running", True),
        ("spec.hostNetwork=false", True),
        ("status.podIP=", True),
    ],
)
def test_a_field_selector(selector: str, matches: bool) -> None:
    assert parse_fields(by_plural("pods"), selector).matches(POD) is matches


def test_a_field_that_cannot_be_selected_by_is_named() -> None:
    with pytest.raises(StatusError, match=r"field label not supported: spec\.containers"):
        parse_fields(by_plural("pods"), "spec.containers=x")
