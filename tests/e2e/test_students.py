"""Two students on one machine at the same moment, each in a checkout of their own, and with a name alone."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.e2e.checkout import make

pytestmark = pytest.mark.skipif(
    not shutil.which("node") and not os.environ.get("CI"), reason="the app needs Node.js: it is not on PATH"
)


@pytest.mark.fault("F33")
def test_two_tours_at_once_do_not_get_in_each_others_way(tmp_path: Path) -> None:
    names = ("ann", "bob")
    for name in names:
        (tmp_path / name).mkdir()
    checkouts = {name: make(tmp_path / name) for name in names}
    flags = ("--provider", "embedded", "--quiet", "--until", "hit")
    tours = [checkouts[name].start("tour", *flags, KUBETOUR_STUDENT=name) for name in names]
    try:
        for tour in tours:
            with tour:
                told, _ = tour.communicate(timeout=180)
            assert tour.returncode == 0, told
        ports: list[int] = []
        for name in names:
            report = checkouts[name].report()
            assert report["settings"]["student"] == name
            assert report["settings"]["cluster_name"] == f"kubetour-{name}"
            assert report["settings"]["image"].startswith(f"node-hostname-{name}:")
            texts = [command["text"] for step in report["steps"] for command in step["commands"]]
            ports += {port for text in texts for port in re.findall(r"127\.0\.0\.1:(\d+)", text)}
        assert len(set(ports)) == len(ports) >= 4
    finally:
        for name in names:
            checkouts[name].inv("down", "--check", "--provider", "embedded", KUBETOUR_STUDENT=name)
    assert [checkouts[name].processes() for name in names] == [[], []]
