from __future__ import annotations

import pytest

from kubetour.embedded.api import StatusError
from kubetour.embedded.labelselector import Term, parse

LABEL = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
)
IN = frozenset(("b", "c"))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        (" ", []),
        ("a", [Term("a", "Exists")]),
        ("!a", [Term("a", "DoesNotExist")]),
        ("a=b", [Term("a", "In", frozenset("b"))]),
        ("a==b,c!=d", [Term("a", "In", frozenset("b")), Term("c", "NotIn", frozenset("d"))]),
        ("a=", [Term("a", "In", frozenset([""]))]),
        ("a=,b", [Term("a", "In", frozenset([""])), Term("b", "Exists")]),
        ("a in (b, c) , d", [Term("a", "In", IN), Term("d", "Exists")]),
        ("a notin(b,c)", [Term("a", "NotIn", IN)]),
        ("a in ()", [Term("a", "In", frozenset([""]))]),
        ("a in (b,)", [Term("a", "In", frozenset(["b", ""]))]),
        ("in in (in)", [Term("in", "In", frozenset(["in"]))]),
        (
            "example.com/a>1,b<2",
            [Term("example.com/a", "Gt", frozenset("1")), Term("b", "Lt", frozenset("2"))],
        ),
    ],
)
def test_a_selector_has_these_terms(text: str, terms: list[Term]) -> None:
    assert parse(text) == terms


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a in", "unable to parse requirement: found '' expected: '('"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"),
        ("a in (", "unable to parse requirement: found '', expected: ',', ')' or identifier"),
        ("a==b=c", "found '=', expected: ',' or 'end of string'"),
        ("a===", "unable to parse requirement: found '=', expected: identifier"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        (",a", "found ',', expected: !, identifier, or 'end of string'"),
        ("a,,b", "found ',', expected: identifier after ','"),
        ("a,", "found '', expected: identifier after ','"),
        ("!a=b", "found '=', expected: ',' or 'end of string'"),
        (
            "a>x",
            'unable to parse requirement: values[0]: Invalid value: "x": '
            "for 'Gt', 'Lt' operators, the value must be an integer",
        ),
        ("a=b*", f'unable to parse requirement: values[0][a]: Invalid value: "b*": {LABEL}'),
        ("-a", 'unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of'),
    ],
)
def test_what_is_no_selector_is_refused_in_kubernetes_words(text: str, why: str) -> None:
    with pytest.raises(StatusError) as caught:
        parse(text)
    assert caught.value.code == 400
    assert caught.value.message.startswith(why)
    assert why.startswith(caught.value.message) or "must consist" in why or LABEL in why
