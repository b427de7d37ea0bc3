"""Every error that can be raised has a code, and a code is for good."""

from __future__ import annotations

import sys
from collections import Counter
from string import Formatter

import pytest

from kubetour import codes, errors
from kubetour.causes import KNOWN, OF_KUBECTL
from kubetour.codes import FAMILIES, RETIRED, TABLE, Code, code_of, coded, find, near
from kubetour.explaining import as_markdown
from kubetour.project import ROOT
from kubetour.text import LANGUAGES, catalog
from tests.conftest import GOLDENS

sys.path.insert(0, str(ROOT / "tests/text"))
from used_keys import Use, read_package

RECORDED = GOLDENS / "codes.txt"
# The family of each exit status; what concerns the host is of the sixth, whatever its status.
FAMILY = {2: "1", 3: "2", 11: "2", 4: "3", 5: "4", 6: "5", 7: "5", 1: "7", 8: "7", 9: "7", 10: "7", 130: "7"}
IDS = [code.code for code in TABLE]


@pytest.fixture(scope="module")
def uses() -> list[Use]:
    return read_package().uses


def test_every_error_that_can_be_raised_has_a_code_and_every_code_an_error(uses: list[Use]) -> None:
    raised = {use.key for use in uses if use.key.startswith("error.") and not use.key.endswith(".fix")}
    raised |= {use.key for use in uses if use.key.startswith("cause.")}
    raised |= {"error.interrupted"}  # Interrupted names its key itself
    texts = {code.text for code in TABLE}
    assert raised - texts == set(), "give them codes in kubetour/codes.py: the next free ones of their family"
    assert texts - raised == set(), "no longer raised: move them to RETIRED"


def test_the_exit_statuses_are_those_of_the_errors_that_are_raised(uses: list[Use]) -> None:
    given = {code.text: set(code.statuses) for code in TABLE}
    seen: dict[str, set[int]] = {"error.interrupted": {130, 129, 143}}
    raised = [use for use in uses if use.taker.startswith("kubetour.errors.") and use.key in given]
    sites: dict[str, set[tuple[str, str]]] = {}
    for use in raised:
        sites.setdefault(use.where, set()).add((use.key, use.taker))
    for use in raised:
        status = getattr(errors, use.taker.rpartition(".")[2]).exit_status
        seen.setdefault(use.key, set()).add(status)
        # Of a table, or behind a condition, each key seems to be of each family that is called there.
        assert len(sites[use.where]) > 1 or status in given[use.key], use
    assert {key for key, statuses in given.items() if not statuses <= seen.get(key, statuses)} == set()
    exact = {key: {family.exit_status} for _, key, family in (*KNOWN, *OF_KUBECTL)}
    assert {key: given[f"error.{key}"] for key in exact} == exact


@pytest.mark.parametrize("code", TABLE, ids=IDS)
def test_a_code_is_of_the_family_of_its_exit_status(code: Code) -> None:
    assert code.code.startswith("KT")
    assert len(code.code) == 5
    if code.key.startswith("cause."):
        assert code.statuses == ()
        assert 450 <= int(code.code[2:]) < 500
    else:
        family = "6" if code.key.startswith("host-") else FAMILY[code.statuses[0]]
        assert code.code[2] == family
    assert code.family in FAMILIES


def test_no_code_and_no_key_stands_twice() -> None:
    known = Counter([*(code.code for code in TABLE), *RETIRED])
    assert [code for code, count in known.items() if count > 1] == []
    assert len({code.key for code in TABLE}) == len(TABLE)


def test_a_code_that_was_ever_given_still_means_the_same_or_is_retired(
    request: pytest.FixtureRequest,
) -> None:
    """--update-goldens adds what is new; what has gone or has changed is an error all the same."""
    now = {code.code: code.key for code in TABLE} | dict(RETIRED)
    if request.config.getoption("--update-goldens"):
        before = recorded() if RECORDED.is_file() else {}
        lines = sorted({**now, **before}.items())
        RECORDED.write_text("".join(f"{code} {key}\n" for code, key in lines), encoding="utf-8")
    assert {code: now.get(code) for code in recorded()} == recorded()
    assert set(now) - set(recorded()) == set(), "new: pytest tests/test_codes.py --update-goldens"


def recorded() -> dict[str, str]:
    lines = RECORDED.read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines)


def test_the_page_of_errors_is_up_to_date(request: pytest.FixtureRequest) -> None:
    page = ROOT / "docs/errors.md"
    if request.config.getoption("--update-goldens"):
        page.write_text(as_markdown("en"), encoding="utf-8")
    assert page.read_text(encoding="utf-8") == as_markdown("en"), "./inv explain --markdown > docs/errors.md"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", TABLE, ids=IDS)
def test_a_code_tells_cause_fix_and_when_without_a_value_in_braces(code: Code, language: str) -> None:
    told = (code.cause(language), code.fix(language), code.strikes(language), *code.pages(language))
    assert code.fix(language) or code.key.startswith("cause.")
    fields = {f"{{{name}" for _, name, *_ in Formatter().parse(catalog(language)[code.text]) if name}
    assert not [text for text in told if any(field in text for field in fields)]
    assert all((code.cause(language), code.strikes(language)))
    assert len(code.pages(language)) == (3 if code.page else 0)


def test_no_text_of_a_page_or_a_moment_is_left_over() -> None:
    kept = {key for key in catalog("en") if key.startswith(("when.", "page."))}
    used = {f"when.{code.when}" for code in TABLE}
    used |= {f"page.{code.page}.{part}" for code in TABLE if code.page for part in codes.PARTS}
    assert kept == used


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("KT404", "KT404"),
        ("kt404", "KT404"),
        ("forbidden", "KT404"),
        ("Forbidden", "KT404"),
        ("cause.crash", "KT452"),
        ("crash", "KT452"),
        ("KT999", None),
        ("", None),
        ("cause.", None),
    ],
)
def test_a_code_is_found_by_itself_and_by_its_key(word: str, code: str | None) -> None:
    found = find(word)
    assert (found.code if found else None) == code


@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("KT4044", "KT404"),
        ("kt40", "KT4"),
        ("forbiden", "forbidden"),
        ("imge", "cause.image"),
        ("x" * 9999, ""),
    ],
)
def test_five_of_the_known_are_near_to_a_word_that_is_unknown(word: str, first: str) -> None:
    found = near(word)
    assert len(found) == 5
    assert found[0].startswith(first)


def test_an_error_without_a_code_is_told_without_one() -> None:
    assert code_of("made-up") == ""
    assert coded("made-up", "told") == "told"
    assert coded("forbidden", "told") == "KT404 told"
