"""Operands, through Invoke's own parser."""

from __future__ import annotations

import pytest
from invoke.exceptions import ParseError
from invoke.parser import Parser
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext

from kubetour import operands

operands.allow()


def parse(*argv: str) -> dict[str, object]:
    """Return the values of `prove`'s arguments."""
    arguments = [
        Argument(name="claims", kind=list, default=[], positional=True),
        Argument(name="all", kind=bool, default=False),
        Argument(name="lang", kind=str),
    ]
    strict = ParserContext("strict", args=[Argument(name="file", kind=str, positional=True)])
    contexts = [ParserContext("prove", args=arguments), ParserContext("tour"), strict]
    parsed = Parser(contexts=contexts).parse_argv(["prove", *argv])
    assert len(parsed) == 1, "every word is an operand, also one that names a task"
    return {name: argument.value for name, argument in parsed[0].args.items()}


@pytest.mark.parametrize(
    ("argv", "claims"),
    [
        pytest.param([], [], id="none"),
        pytest.param(["spread"], ["spread"], id="one"),
        pytest.param(["spread", "scaling", "layers"], ["spread", "scaling", "layers"], id="several"),
        pytest.param(["--all"], [], id="a flag only"),
        pytest.param(["--lang", "zh", "spread", "--all", "layers"], ["spread", "layers"], id="between flags"),
        pytest.param(["tour"], ["tour"], id="the name of a task"),
    ],
)
def test_operands_are_all_words_that_are_no_flags(argv: list[str], claims: list[str]) -> None:
    values = parse(*argv)
    assert values["claims"] == claims
    assert values["all"] is ("--all" in argv)
    assert values["lang"] == ("zh" if "zh" in argv else None)


def test_a_positional_argument_that_is_no_list_is_still_required() -> None:
    context = ParserContext("strict", args=[Argument(name="file", kind=str, positional=True)])
    with pytest.raises(ParseError, match="did not receive required positional"):
        Parser(contexts=[context]).parse_argv(["strict"])
    assert Parser(contexts=[context]).parse_argv(["strict", "x"])[0].args["file"].value == "x"
