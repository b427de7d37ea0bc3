from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.embedded.shellwords import BadWordError, expand, split, split_raw

VALUES = {"A": "1", "EMPTY": "", "PATH": "/bin"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A", "1"),
        ("${A}2", "12"),
        ("$A.x", "1.x"),
        ("$NONE", ""),
        ("a$", "a$"),
        ("$1", "$1"),
        (r"\$A", "$A"),
        ("'$A'", "$A"),
        ('"$A"', "1"),
        (r'"a\"b"', 'a"b'),
        (r'"a\b"', r"a\b"),
        ("${NONE:-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${NONE-d}", "d"),
        ("${A:-d}", "1"),
        ("${A:+set}", "set"),
        ("${EMPTY:+set}", ""),
        ("${EMPTY+set}", "set"),
        ("${NONE:-${A}}", "1"),
        ("${NONE:-$A$A}", "11"),
        ("${A:?why}", "1"),
        ("/app:$PATH", "/app:/bin"),
    ],
)
def test_variables_and_quotes(text: str, expected: str) -> None:
    assert expand(text, VALUES) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("'a", "' that does not end"),
        ('"a', '" that does not end'),
        ("${A", "${ that does not end"),
        ("${A%x}", "unsupported"),
        ("${NONE:?is needed}", "NONE: is needed"),
        ("${NONE?}", "NONE: not set"),
    ],
)
def test_what_cannot_be_read_is_an_error(text: str, message: str) -> None:
    with pytest.raises(BadWordError) as caught:
        expand(text, VALUES)
    assert message in str(caught.value)


def test_words_are_split_outside_of_quotes_only() -> None:
    assert split("a 'b c' \"d  $A\" e\\ f ''", VALUES) == ["a", "b c", "d  1", "e f", ""]
    assert split_raw("a='b c'  d=\"e f\" g\\ h") == ["a='b c'", 'd="e f"', "g\\ h"]


def test_another_escape_character() -> None:
    assert split("c:\\x `$A", VALUES, "`") == ["c:\\x", "$A"]


@given(st.lists(st.text(alphabet="ab$'\"\\ {}", max_size=5), max_size=4))
def test_quoting_brings_every_text_through(texts: list[str]) -> None:
    quoted = " ".join("'" + text.replace("'", "'\"'\"'") + "'" for text in texts)
    assert split(quoted, VALUES) == texts
