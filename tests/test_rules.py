"""The rules: what a parameter may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour import rules

SHA = "sha256:" + "0" * 64


def refuses(rule: rules.Rule, text: str) -> bool:
    try:
        rule.apply(text)
    except ValueError:
        return True
    return False


@pytest.mark.parametrize("text", ["a", "0", "a-b", "a" * 63, "9lives", "no", "x--y"])
def test_a_label_takes(text: str) -> None:
    assert rules.label().apply(text) == text


@pytest.mark.parametrize(
    "text", ["", "-a", "a-", "A", "a_b", "a.b", "a" * 64, "ä", "a\n", "a b", "é", "\u0661"], ids=repr
)
def test_a_label_refuses(text: str) -> None:
    assert refuses(rules.label(), text)


def test_a_label_may_be_asked_to_be_shorter() -> None:
    assert rules.label(3).apply("abc") == "abc"
    assert refuses(rules.label(3), "abcd")


@pytest.mark.parametrize("text", ["9lives", "0", "-a", "A"])
def test_a_label_for_a_service_begins_with_a_letter(text: str) -> None:
    assert refuses(rules.service_label(), text)


@pytest.mark.parametrize(
    "text",
    [
        "node-hostname",
        "node-hostname:1.0",
        "team/web",
        "localhost/web",
        "localhost:5000/web:1",
        "ghcr.io/team/web",
        "Registry.Example:443/a/b/c:v1_2-3.4",
        "a__b",
        "a--b",
        "a.b",
        "web:" + "t" * 128,
    ],
)
def test_an_image_reference_takes(text: str) -> None:
    assert rules.image().apply(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Web",
        "web:",
        ":1",
        "/web",
        "web/",
        "a//b",
        "web:-1",
        "web:a b",
        "a___b",
        "a..b",
        "-web",
        "--privileged",
        f"web@{SHA}",
        "web:" + "t" * 129,
        "a" * 256,
        "web\n",
        "wéb",
        "http://registry/web",
        "host:port/web",
    ],
    ids=repr,
)
def test_an_image_reference_refuses(text: str) -> None:
    assert refuses(rules.image(), text)


@pytest.mark.parametrize(("text", "value"), [("1", 1), ("50", 50), ("07", 7)])
def test_a_whole_number_takes(text: str, value: int) -> None:
    assert rules.whole(1, 50).apply(text) == value


@pytest.mark.parametrize(
    "text", ["0", "51", "", "-1", "+1", "1.0", "1e1", " 1", "1_0", "٣", "9" * 5000, "ten", "True"], ids=repr
)
def test_a_whole_number_refuses(text: str) -> None:
    assert refuses(rules.whole(1, 50), text)


def test_a_choice_takes_its_words_and_no_others() -> None:
    rule = rules.choice("kind", "embedded")
    assert rule.apply("kind") == "kind"
    for text in ("Kind", "", "kin", "kind,embedded"):
        assert refuses(rule, text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("true", True), ("Yes", True), ("on", True), ("0", False), ("False", False), ("no", False)],
)
def test_a_switch_reads(text: str, value: bool) -> None:
    assert rules.switch().apply(text) is value


def test_a_switch_refuses_what_is_neither_yes_nor_no() -> None:
    assert refuses(rules.switch(), "perhaps")


@pytest.mark.parametrize("text", ["", "-f", "--context", "a\nb", "a\x1b[31m", "a\x00", "\u202e", "x" * 254])
def test_free_text_refuses_what_no_argument_may_be(text: str) -> None:
    assert refuses(rules.printable(), text)


@given(st.text(max_size=300))
def test_what_passes_as_free_text_is_one_word_of_a_command_line(text: str) -> None:
    try:
        passed = rules.printable().apply(text)
    except ValueError:
        return
    assert passed == text
    assert not passed.startswith("-")
    assert passed.isprintable()


@given(st.text(alphabet="abz019-._:/A@", max_size=40))
def test_an_image_that_passes_is_never_a_flag_and_has_no_digest(text: str) -> None:
    try:
        passed = rules.image().apply(text)
    except ValueError:
        return
    assert not passed.startswith(("-", "/", ":", "."))
    assert "@" not in passed


@pytest.mark.parametrize(
    "text", ["registry.example", "localhost", "localhost:5000", "127.0.0.1:5000/team", "docker.io/me/sub"]
)
def test_a_registry_takes(text: str) -> None:
    assert rules.registry().apply(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "team",
        "team/web",
        "https://r.example",
        "r.example/",
        "r.example/Team",
        "r.example:x",
        "r.example/a:1",
    ],
)
def test_a_registry_refuses_what_has_no_host_or_has_a_tag(text: str) -> None:
    assert refuses(rules.registry(), text)
