"""The text form of label selectors, `app=web,tier in (a,b),!old`: its words, its grammar, and its errors.

k8s.io/apimachinery/pkg/labels/selector.go
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kubetour.embedded.apierrors import bad_request
from kubetour.embedded.fielderrors import FieldError, invalid
from kubetour.embedded.validation.metadata import label_value, qualified_name

# An operator or a sign; or anything that is none and no space.
_WORD = re.compile(r"\s*(==|!=|[=!(),<>]|[^=!(),<>\s]+)")
_SIGNS = frozenset(("==", "!=", "=", "!", "(", ")", ",", "<", ">"))
_OPERATORS = {"in": "In", "notin": "NotIn", "=": "In", "==": "In", "!=": "NotIn", "<": "Lt", ">": "Gt"}
_BINARY = "in, notin, =, ==, !=, gt, lt"
_END = ""


@dataclass(frozen=True)
class Term:
    """One requirement as it was written; `operator` as in metav1.LabelSelectorRequirement, and Gt and Lt."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()


class _Words:
    """The words of a selector, one after the other; the last is the empty one."""

    def __init__(self, text: str) -> None:
        self._words: list[str] = [*_WORD.findall(text), _END]

    @property
    def next(self) -> str:
        """Return the word that `take` will return."""
        return self._words[0]

    def take(self) -> str:
        """Go on by a word, and return it; there is no going on from the last."""
        return self._words.pop(0) if len(self._words) > 1 else _END


def parse(text: str) -> list[Term]:
    """Return the terms of a selector; StatusError 400, as the API server words it, for what is none."""
    words, terms = _Words(text), list[Term]()
    while words.next != _END:
        if words.next in _SIGNS and words.next != "!":
            raise _found(words.next, "!, identifier, or 'end of string'")
        terms.append(_term(words))
        after = words.take()
        if after not in (",", _END):
            raise _found(after, "',' or 'end of string'")
        if after == "," and (words.next == _END or (words.next in _SIGNS and words.next != "!")):
            raise _found(words.next, "identifier after ','")
    return terms


def _term(words: _Words) -> Term:
    absent = words.next == "!"
    key = words.take() if not absent else (words.take(), words.take())[1]
    if key in _SIGNS or key == _END:
        raise _bad(f"found '{key}', expected: identifier")
    for problem in qualified_name(key):
        raise _bad(str(invalid("<nil>", key, problem)))
    if absent or words.next in (",", _END):
        return Term(key, "DoesNotExist" if absent else "Exists")
    sign = words.take()
    if sign not in _OPERATORS:
        raise _bad(f"found '{sign}', expected: {_BINARY}")
    operator = _OPERATORS[sign]
    values = _values(words) if sign in ("in", "notin") else _value(words)
    errors = [error for index, value in enumerate(values) for error in _check(key, operator, index, value)]
    if errors:
        raise _bad(str(errors[0]) if len(errors) == 1 else f"[{', '.join(map(str, errors))}]")
    return Term(key, operator, frozenset(values))


def _check(key: str, operator: str, index: int, value: str) -> list[FieldError]:
    field = f"values[{index}]"
    if operator in ("Gt", "Lt") and not re.fullmatch(r"[-+]?[0-9]+", value):
        return [invalid(field, value, "for 'Gt', 'Lt' operators, the value must be an integer")]
    return [invalid(f"{field}[{key}]", value, problem) for problem in label_value(value)]


def _value(words: _Words) -> list[str]:
    """Return the one value after a sign, which may be empty."""
    if words.next in (",", _END):
        return [""]
    value = words.take()
    if value in _SIGNS:
        raise _bad(f"found '{value}', expected: identifier")
    return [value]


def _values(words: _Words) -> list[str]:
    """Return the values in parentheses, sorted; any of them may be empty."""
    opening = words.take()
    if opening != "(":
        raise _bad(f"found '{opening}' expected: '('")
    if words.next not in (",", ")") and (words.next in _SIGNS or words.next == _END):
        raise _bad(f"found '{words.next}', expected: ',', ')' or identifier")
    found, value = set[str](), ""
    while True:
        word = words.take()
        if word in (",", ")"):
            found.add(value)
            value = ""
            if word == ")":
                return sorted(found)
        elif value:
            raise _bad(f"found '{word}', expected: ',' or ')'")
        elif word in _SIGNS or word == _END:
            raise _bad(f"found '{word}', expected: ',', or identifier")
        else:
            value = word


def _bad(why: str) -> Exception:
    return bad_request(f"unable to parse requirement: {why}")


def _found(word: str, expected: str) -> Exception:
    return bad_request(f"found '{word}', expected: {expected}")
