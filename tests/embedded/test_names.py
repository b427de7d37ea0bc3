from __future__ import annotations

from random import SystemRandom

from kubetour.embedded import names


def test_a_name_that_is_taken_is_not_given() -> None:
    asked: list[str] = []

    def is_taken(name: str) -> bool:
        asked.append(name)
        return len(asked) < 3

    assert names.free("web-", SystemRandom(), is_taken) == asked[2]


def test_where_all_are_taken_one_of_them_is_given_for_the_store_to_refuse() -> None:
    assert names.free("web-", SystemRandom(), lambda name: True).startswith("web-")
