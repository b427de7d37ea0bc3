"""What clients send as JSON and YAML: plain values, or refused, and never a crash."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.embedded.documents import DEEPEST, LARGEST, from_json, from_yaml, is_deeper
from tests import hostile

BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (name, name, b", ".join([b"*%c" % (name - 1)] * 9)) for name in b"bcdefghi"
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b'{"a": Infinity}',
        b"1e999",
        b"9" * 5000,
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * (DEEPEST + 2) + b"]" * (DEEPEST + 2),
        b"\xff",
        b"\xed\xa0\x80",
    ],
    ids=lambda body: repr(body[:8]),
)
def test_what_is_no_json_or_nested_too_deep_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        from_json(body)


def test_nesting_within_the_bound_is_read() -> None:
    body = b"[" * DEEPEST + b"]" * DEEPEST
    assert not is_deeper(from_json(body), DEEPEST)


def test_half_of_a_surrogate_pair_becomes_the_replacement_character_as_in_go() -> None:
    assert from_json(rb'{"a\ud800": ["\udc00b", "\ud83d\ude00"]}') == {"a\ufffd": ["\ufffdb", "\U0001f600"]}


@pytest.mark.parametrize(
    "body",
    [
        BOMB,
        b"&a [*a]",
        b"[" * 100_000,
        b"a: !!python/object/apply:os.system [true]",
        b"? [1]\n: 2",
        b"a: .inf",
        b"\x00",
        b"a: [",
        b"2026-99-99",
    ],
    ids=[
        "a billion laughs",
        "itself",
        "deep",
        "a tag",
        "a list as a key",
        "infinity",
        "NUL",
        "half",
        "no day",
    ],
)
def test_what_yaml_can_say_and_json_cannot_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        from_yaml(body)


def test_yaml_is_read_as_the_json_that_it_stands_for() -> None:
    assert from_yaml(b"a: &x [1, no]\nb: *x\n1: 2026-01-02\n") == {
        "a": [1, False],
        "b": [1, False],
        "1": "2026-01-02",
    }


@given(
    st.one_of(
        st.binary(max_size=200), hostile.strings().map(lambda text: text.encode("utf-8", "surrogatepass"))
    )
)
def test_any_bytes_are_refused_or_give_what_can_be_sent_on(body: bytes) -> None:
    for read in (from_json, from_yaml):
        try:
            value = read(body)
        except ValueError:
            continue
        sent = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        assert json.loads(sent) == value
        assert len(sent) <= 2 * LARGEST
