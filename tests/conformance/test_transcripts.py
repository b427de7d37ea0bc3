"""What kubectl printed on a real cluster, typed again on the embedded one."""

from __future__ import annotations

import pytest

from tests.conformance.compared import Compared
from tests.conformance.terminal import TRANSCRIPT

NAMES = [f"{number} {each['cmd'][8:48]}" for number, each in enumerate(TRANSCRIPT)]


@pytest.mark.parametrize("number", range(len(TRANSCRIPT)), ids=NAMES)
def test_kubectl_says_what_it_said_on_a_real_cluster(typed: list[Compared], number: int) -> None:
    typed[number].check()
