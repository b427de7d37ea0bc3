"""The reader of used keys, on source made up for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from syntax_trees import Module
from used_keys import Source, Use, task_keys

IMPORTS = """
from kubetour.errors import ClusterError, EngineError
from kubetour.proofs.common import fails, holds, verdict
from kubetour.text import Text, say
"""


@pytest.mark.parametrize(
    ("code", "keys"),
    [
        pytest.param("say(lang, 'a.b')", {"a.b"}, id="literal"),
        pytest.param("say(lang, key='a.b')", {"a.b"}, id="keyword"),
        pytest.param("key = 'a' if x else 'b'\nText(key)", {"a", "b"}, id="name"),
        pytest.param("(holds if met else fails)('a' if met else 'b')", {"proof.a", "proof.b"}, id="either"),
        pytest.param("verdict(ok, 'a', 'b')", {"proof.a", "proof.b"}, id="verdict"),
        pytest.param("raise ClusterError('a')", {"error.a", "error.a.fix"}, id="error"),
        pytest.param("for key in ('a', 'b'):\n    say(lang, key)", {"a", "b"}, id="loop"),
        pytest.param(
            "KNOWN = (('x', 'a', ClusterError), ('y', 'b', EngineError))\n"
            "def f():\n    for pattern, key, family in KNOWN:\n        return family(key)",
            {"error.a", "error.a.fix", "error.b", "error.b.fix"},
            id="table",
        ),
        pytest.param("def f(lang, key):\n    say(lang, key)\nf('en', 'a')", {"a"}, id="parameter"),
        pytest.param(
            "class Engine:\n    name: str\n    trouble: str = ''\n"
            "def f(e):\n    Text(f'why.{e.trouble}')\nEngine('n', 'a')\nEngine('n', trouble='b')",
            {"why.a", "why.b"},
            id="field",
        ),
        pytest.param(
            "class Pin:\n    name: str\nclass Other:\n    name: str\nOther('b')\n"
            "def f(pin: Pin):\n    say(lang, pin.name)\n"
            "class Engine:\n    trouble: str\n    def g(self):\n        Text(self.trouble)\n"
            "Pin('a')\nEngine('c')",
            {"a", "c"},
            id="field of a known class",
        ),
        pytest.param("def f(say):\n    say('not', 'a key')", set(), id="a callback of the same name"),
    ],
)
def test_uses_are_found_whichever_way_a_key_is_given(code: str, keys: set[str]) -> None:
    found = Source([Module(Path("made_up.py"), IMPORTS + code)])
    assert {use.key for use in found.uses} == keys
    assert found.unknown == []


def test_an_argument_given_in_another_module_is_followed() -> None:
    one = Module(Path("one.py"), IMPORTS + "def f(key):\n    Text(key)")
    two = Module(
        Path("two.py"), "from kubetour.one import f\nfrom kubetour import one\nf('a')\none.f(key='b')"
    )
    assert {use.key for use in Source([two, one]).uses} == {"a", "b"}


def test_a_key_that_cannot_be_followed_is_reported() -> None:
    assert Source([Module(Path("made_up.py"), IMPORTS + "Text(input())")]).unknown == [
        "made_up.py:5: Text(input())"
    ]


def test_the_values_given_with_a_key_are_known() -> None:
    code = (
        IMPORTS + "values = {'a': 1}\nText('k', {'b': 2})\nText('k', values)\nholds('k', {}, c=3, **values)"
    )
    uses = Source([Module(Path("made_up.py"), code)]).uses
    assert uses == [
        Use("k", "made_up.py:6", frozenset("b")),
        Use("k", "made_up.py:7", frozenset("a")),
        Use("proof.k", "made_up.py:8", frozenset("ac")),
    ]


def test_tasks_and_their_own_flags_are_known() -> None:
    code = "@verb('image', from_='', operands='from_')\ndef run_pod(c): ...\n\ndef helper(c): ..."
    assert task_keys(code) == {"task.run-pod", "flag.from"}
