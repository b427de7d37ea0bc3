from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.embedded.dockerfile import DockerfileError, parse


def shown(text: str) -> list[str]:
    return [str(instruction) for instruction in parse(text).instructions]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("FROM a\nCOPY x y\n", ["FROM a", "COPY x y"], id="one per line"),
        pytest.param("from a\nCopy x y", ["FROM a", "COPY x y"], id="keywords in any case"),
        pytest.param("\ufeffFROM a", ["FROM a"], id="a byte order mark"),
        pytest.param("FROM a\r\nUSER 1\r\n", ["FROM a", "USER 1"], id="Windows line ends"),
        pytest.param("# x\n\nFROM a\n  # y\nUSER 1", ["FROM a", "USER 1"], id="comments and empty lines"),
        pytest.param("FROM a\nENV a=1 \\\n  b=2", ["FROM a", "ENV a=1 b=2"], id="a continued line"),
        pytest.param("FROM a\nENV a=1 \\  \n b=2", ["FROM a", "ENV a=1 b=2"], id="space after the escape"),
        pytest.param("FROM a\nENV a=1 \\\n# why\n\n b=2", ["FROM a", "ENV a=1 b=2"], id="a comment inside"),
        pytest.param(
            "# escape=`\nFROM a\nCOPY x `\n c:\\y", ["FROM a", "COPY x c:\\y"], id="another escape character"
        ),
        pytest.param("# syntax=docker/dockerfile:1\n# escape=`\nFROM a", ["FROM a"], id="a syntax directive"),
        pytest.param("# note\n# escape=`\nFROM a\nUSER \\\n1", ["FROM a", "USER 1"], id="no directive below"),
        pytest.param(
            "FROM a\nCOPY --chown=1:2 --chmod=644 x y",
            ["FROM a", "COPY --chown=1:2 --chmod=644 x y"],
            id="flags",
        ),
        pytest.param("FROM a\nCMD echo 'a  b' # c", ["FROM a", "CMD echo 'a b' # c"], id="no comment behind"),
        pytest.param("ARG B=1\nFROM a", ["ARG B=1", "FROM a"], id="ARG before FROM"),
    ],
)
def test_a_dockerfile_is_read_as_docker_reads_it(text: str, expected: list[str]) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f:1: the file holds no instruction"),
        ("# nothing", "f:1: the file holds no instruction"),
        ("FROM a\n\nFRON b", "f:3: unknown instruction: FRON"),
        ("COPY a b\nFROM x", "f:1: COPY: comes before FROM"),
        ("ARG a", "f:1: ARG: the file has no FROM"),
        ("FROM a\nUSER", "f:2: USER: needs an argument"),
        ("# escape=x\nFROM a", "f:1: the escape character is"),
        ("# escape=`\n# escape=`\nFROM a", "f:2: only one escape directive"),
        ("FROM a\nCOPY <<EOF /x\nhello\nEOF", "f:2: COPY: here-documents"),
    ],
)
def test_errors_name_file_and_line(text: str, message: str) -> None:
    with pytest.raises(DockerfileError) as caught:
        parse(text, "f")
    assert str(caught.value).startswith(message)


def test_a_continued_instruction_is_named_by_its_first_line() -> None:
    (_, instruction) = parse("FROM a\nENV a=1 \\\n\n b=2").instructions
    assert instruction.line == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('["node", "app.js"]', ["node", "app.js"]),
        ("node app.js", None),
        ("['node']", None),
        ("[1, 2]", None),
        ("[]", []),
    ],
)
def test_only_a_json_array_of_strings_is_the_exec_form(text: str, words: list[str] | None) -> None:
    assert parse(f"FROM a\nCMD {text}").instructions[1].exec_form == words


@given(st.text(alphabet="FROMacpy[]\"'\\#$={} \n`-/0", max_size=80))
def test_no_text_makes_the_parser_fail_but_by_its_own_error(text: str) -> None:
    with contextlib.suppress(DockerfileError):
        parse(text)
