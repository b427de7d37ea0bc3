"""The catalogs: both languages say the same, and exactly what the program asks for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from importlib import import_module
from string import Formatter

import pytest
from used_keys import Source, read_package, task_keys

from kubetour.codes import FAMILIES, PARTS, TABLE
from kubetour.settings import FIELDS
from kubetour.text import LANGUAGES, Text, catalog, from_locale, say

PAIRS = (
    "",
    "tools_",
    "host_",
    "traps_",
    "report_",
    "lessons_",
    "pack_",
    "class_",
    "claims_",
    "live_",
    "app_",
    "help_",
    "explain_",
)
HAN = re.compile(r"[\u3400-\u9fff]")
CHINESE = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")  # with its punctuation
# What a person types or opens, and what must therefore be the same in every language.
VERBS = "|".join(
    key.removeprefix("task.") for key in sorted(task_keys(), reverse=True) if key.startswith("task.")
)
LITERAL = re.compile(
    rf"https?://[\w./#-]+[\w/#]|\./inv(?: (?:{VERBS})\b)?|(?<![\w-])--[a-z][a-z-]*|`[^`]+`|\b[A-Z]{{4,}}\b",
    re.ASCII,
)


def messages(pair: str, language: str) -> Mapping[str, str]:
    found: Mapping[str, str] = import_module(f"kubetour.text.{pair}{language}").MESSAGES
    return found


def placeholders(message: str) -> Counter[tuple[str, str, str]]:
    """Return the fields of a message: name, format and conversion."""
    return Counter(
        (name, form or "", conversion or "")
        for _, name, form, conversion in Formatter().parse(message)
        if name is not None
    )


def prose(message: str) -> str:
    """Return a message without its fields."""
    return "".join(text for text, *_ in Formatter().parse(message))


@pytest.fixture(scope="module")
def source() -> Source:
    return read_package()


@pytest.mark.parametrize("pair", PAIRS)
def test_both_languages_have_the_same_keys_in_the_same_order(pair: str) -> None:
    assert list(messages(pair, "en")) == list(messages(pair, "zh"))


def test_no_key_stands_in_two_modules_of_a_language() -> None:
    for language in LANGUAGES:
        assert len(catalog(language)) == sum(len(messages(pair, language)) for pair in PAIRS)


def test_both_languages_have_the_same_placeholders() -> None:
    english, chinese = catalog("en"), catalog("zh")
    assert {k: placeholders(v) for k, v in english.items()} == {
        k: placeholders(v) for k, v in chinese.items()
    }


def test_every_placeholder_has_a_name() -> None:
    fields = {(key, name) for key, text in catalog("en").items() for name, *_ in placeholders(text)}
    assert not {(key, name) for key, name in fields if not re.fullmatch(r"[a-z_]+", name)}


def test_both_languages_name_the_same_commands_flags_and_addresses() -> None:
    english, chinese = catalog("en"), catalog("zh")
    chinese = {key: text.replace("kubernetes.io/zh-cn/", "kubernetes.io/") for key, text in chinese.items()}
    told = {
        key: (set(LITERAL.findall(text)), set(LITERAL.findall(chinese[key]))) for key, text in english.items()
    }
    assert not {key: one ^ other for key, (one, other) in told.items() if one != other}


def test_english_has_no_chinese_characters() -> None:
    assert not [key for key, text in catalog("en").items() if CHINESE.search(text)]


def test_chinese_is_chinese_where_there_are_words_at_all() -> None:
    words = {key: prose(text) for key, text in catalog("zh").items()}
    assert not [key for key, text in words.items() if re.search(r"[^\W\d_]", text) and not HAN.search(text)]


def test_a_space_stands_between_chinese_and_latin_words() -> None:
    close = re.compile(rf"{HAN.pattern}[\w{{`-]|[\w}}`]{HAN.pattern}", re.ASCII)
    assert not {key: close.findall(text) for key, text in catalog("zh").items() if close.search(text)}


def test_chinese_punctuation_is_full_width() -> None:
    half = re.compile(rf"{HAN.pattern}\s*[,;:?!()]|[,;?!()]\s*{HAN.pattern}|{HAN.pattern}\.")
    assert not {key: half.findall(text) for key, text in catalog("zh").items() if half.search(text)}


def test_every_error_has_a_fix_and_every_fix_an_error() -> None:
    errors = {key for key in catalog("en") if key.startswith("error.")}
    causes = {key for key in errors if not key.endswith(".fix")}
    assert errors - causes == {f"{key}.fix" for key in causes}


def test_every_key_that_is_used_can_be_found_in_the_source(source: Source) -> None:
    assert source.unknown == []
    assert len(source.uses) > 100


def test_every_key_that_is_used_has_a_message(source: Source) -> None:
    missing = {use.key: use.where for use in source.uses if use.key not in catalog("en")}
    assert missing == {}


def test_every_message_is_used(source: Source) -> None:
    used = {use.key for use in source.uses} | task_keys() | {f"setting.{name}" for name in FIELDS}
    used |= {"error.interrupted", "error.interrupted.fix"}  # Interrupted names its key itself
    used |= {f"when.{code.when}" for code in TABLE} | {f"family.{family}" for family in FAMILIES}
    used |= {f"page.{code.page}.{part}" for code in TABLE if code.page for part in PARTS}
    assert set(catalog("en")) - used == set()


def test_every_task_flag_and_setting_has_its_help() -> None:
    assert task_keys() | {f"setting.{name}" for name in FIELDS} == {
        key for key in catalog("en") if key.split(".")[0] in ("task", "flag", "setting")
    }


def test_every_use_gives_the_values_that_its_message_needs(source: Source) -> None:
    english = catalog("en")
    short = {
        (use.key, use.where): needed - use.values
        for use in source.uses
        if use.values is not None and use.key in english
        if (needed := {name for name, *_ in placeholders(english[use.key])}) - use.values
    }
    assert short == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_can_be_said(language: str) -> None:
    for key, text in catalog(language).items():
        said = say(language, key, **{name: "X" for name, *_ in placeholders(text)})
        assert said
        assert "{X" not in said


def test_a_text_within_a_text_is_told_in_the_same_language() -> None:
    proof = Text("proof.log-empty")
    assert say("zh", "tour.waiting", proof=proof) == f"等待中：{catalog('zh')['proof.log-empty']}"
    assert say("en", "tour.waiting", proof=proof) == "waiting: the log is empty"


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        say("en", "no.such.key")


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        pytest.param({}, "en", id="nothing set"),
        pytest.param({"LANG": "zh_CN.UTF-8"}, "zh", id="LANG"),
        pytest.param({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en", id="LC_ALL wins"),
        pytest.param({"LANG": "C", "LC_MESSAGES": "zh_TW"}, "zh", id="LC_MESSAGES before LANG"),
        pytest.param({"LANG": "zh_CN", "LC_ALL": ""}, "zh", id="an empty variable does not count"),
    ],
)
def test_the_locale_chooses_the_language(environ: dict[str, str], language: str) -> None:
    assert from_locale(environ) == language
