"""What nobody should type: refused before anything is made, in the language of who typed it."""

from __future__ import annotations

import re

import pytest

from tests.e2e.checkout import Checkout, Finished, make

EMBEDDED = ("--provider", "embedded")
HAN = re.compile("[\u4e00-\u9fff]")


def told_well(told: Finished, code: str, lang: str) -> None:
    """Prove that an error has its code, a cause and a fix in that language, and nothing of Python's."""
    assert code in told.stderr, told.told()
    assert "Traceback" not in told.stderr + told.stdout
    assert bool(HAN.search(told.stderr)) == (lang == "zh"), told.stderr


def made_nothing(checkout: Checkout) -> None:
    """Prove that no command ran and nothing was kept."""
    made = {each.name for each in (checkout.root / ".kubetour").glob("*")} - {"lock"}
    assert made == set()


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a checkout in which nothing is ever made."""
    return make(tmp_path_factory.mktemp("arguments"))


@pytest.mark.fault("F01")
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", ["Bad_Name", "-a", "a.", "a" * 64, "a\n", "ä", "\u202ea"])
def test_a_name_that_kubernetes_would_refuse_is_refused_first(
    untouched: Checkout, name: str, lang: str
) -> None:
    told = untouched.inv("tour", *EMBEDDED, f"--name={name}", lang=lang, check=2)
    told_well(told, "KT101", lang)
    made_nothing(untouched)
