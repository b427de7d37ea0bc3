"""Two on one machine at the same moment, each in a checkout of their own; students have a name besides."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.e2e.checkout import Checkout, make

pytestmark = pytest.mark.skipif(
    not shutil.which("node") and not os.environ.get("CI"), reason="the app needs Node.js: it is not on PATH"
)


@pytest.mark.fault("F33")
@pytest.mark.parametrize("students", [("ann", "bob"), ("", "")], ids=["students", "checkouts"])
def test_two_tours_at_once_do_not_get_in_each_others_way(tmp_path: Path, students: tuple[str, str]) -> None:
    checkouts: list[Checkout] = []
    for number, _ in enumerate(students):
        (tmp_path / str(number)).mkdir()
        checkouts.append(make(tmp_path / str(number)))
    pairs = list(zip(checkouts, students, strict=True))
    flags = ("--provider", "embedded", "--quiet", "--until", "hit")
    tours = [one.start("tour", *flags, KUBETOUR_STUDENT=student) for one, student in pairs]
    try:
        told = [tour.communicate(timeout=180)[0] for tour in tours]
        assert [tour.returncode for tour in tours] == [0, 0], "\n".join(told)
        ports: list[int] = []
        for checkout, student in pairs:
            report = checkout.report()
            suffix = f"-{student}" if student else ""
            assert report["settings"]["student"] == student
            assert report["settings"]["cluster_name"] == f"kubetour{suffix}"
            assert report["settings"]["image"].startswith(f"node-hostname{suffix}:")
            texts = [command["text"] for step in report["steps"] for command in step["commands"]]
            ports += {port for text in texts for port in re.findall(r"127\.0\.0\.1:(\d+)", text)}
        assert len(set(ports)) == len(ports) >= 4
    finally:
        for checkout, student in pairs:
            checkout.inv("down", "--check", "--provider", "embedded", KUBETOUR_STUDENT=student)
    assert [checkout.processes() for checkout in checkouts] == [[], []]
