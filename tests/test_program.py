"""Invoke's parser, with arguments that are made when they are asked for."""

from __future__ import annotations

import copy

import pytest
from invoke.collection import Collection
from invoke.parser import Parser

import tasks
from kubetour.dialects import DIALECTS
from kubetour.program import Unread
from kubetour.settings import ENGINES

CONTEXTS = {context.name: context for context in Collection.from_module(tasks).to_contexts()}


def unread(name: str) -> Unread:
    return Unread(name, (), tasks.ns[name])


@pytest.mark.parametrize("name", sorted(map(str, CONTEXTS)))
def test_a_task_has_the_same_arguments_however_late_they_are_made(name: str) -> None:
    early, late = CONTEXTS[name], unread(name)
    assert {flag: repr(arg) for flag, arg in late.flags.items()} == {
        flag: repr(arg) for flag, arg in early.flags.items()
    }
    assert [arg.name for arg in late.positional_args] == [arg.name for arg in early.positional_args]
    assert {n: (arg.help, arg.default) for n, arg in late.args.items()} == {
        n: (arg.help, arg.default) for n, arg in early.args.items()
    }


def test_naming_or_copying_a_task_makes_no_arguments() -> None:
    context = unread("tour")
    assert repr(copy.deepcopy(context)) == "<Unread 'tour'>"
    assert "args" not in vars(context)
    with pytest.raises(AttributeError):
        _ = context.nothing


def test_each_command_line_is_read_into_arguments_of_its_own() -> None:
    parser = Parser(contexts=[unread("scale"), unread("hit")])
    for replicas in ("5", "7"):
        scale, hit = parser.parse_argv(["scale", "--replicas", replicas, "hit"])
        assert scale.args["replicas"].value == replicas
        assert hit.args["replicas"].value is None


def test_the_engines_that_may_be_named_are_those_that_are_known() -> None:
    assert set(ENGINES) == {"auto", *DIALECTS}
