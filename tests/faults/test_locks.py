"""One run at a time in one checkout; and a lock that nobody holds stops nobody."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.checkout import Checkout
from tests.faults.telling import told_well

FLAGS = ("--provider", "embedded", "--cluster-name", "locks")


@pytest.mark.fault("F34")
def test_a_lock_file_that_names_a_living_process_but_that_nobody_holds_is_taken_over(
    checkout: Checkout,
) -> None:
    (checkout.root / ".kubetour").mkdir()
    (checkout.root / ".kubetour/lock").write_text(str(os.getpid()), encoding="utf-8")
    checkout.inv("tour", *FLAGS, "--only", "tools,app", "--quiet")


@pytest.mark.fault("F35")
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_lock_that_is_a_link_is_not_followed(checkout: Checkout, tmp_path: Path, lang: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("theirs", encoding="utf-8")
    (checkout.root / ".kubetour").mkdir()
    lock = checkout.root / ".kubetour/lock"
    lock.symlink_to(victim)
    told = checkout.inv("tour", *FLAGS, "--only", "tools", lang=lang, check=10)
    told_well(told, "KT709", lang)
    assert victim.read_text(encoding="utf-8") == "theirs"
    lock.unlink()
