"""Two runs side by side: their steps in one order, and what differs but not what is random."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.comparison import Comparison, Pair, Setting, compare, masked, merged, times
from tests.html import sample

NAMES = st.lists(st.sampled_from("abcdef"), unique=True)


def record() -> dict[str, Any]:
    return deepcopy(sample.documents(sample.failed())["en"])


def pair(compared: Comparison, step: str) -> Pair:
    (found,) = (item for item in compared.steps if item.step == step)
    return found


@given(NAMES, NAMES)
def test_every_step_of_either_run_is_there_once_and_the_firsts_order_holds(
    one: list[str], other: list[str]
) -> None:
    names = merged(one, other)
    assert sorted(names) == sorted({*one, *other})
    assert [name for name in names if name in one] == one


def test_a_step_that_only_the_second_has_stands_behind_the_one_it_follows() -> None:
    assert merged(["a", "b", "d"], ["x", "a", "b", "c", "d"]) == ["x", "a", "b", "c", "d"]


def test_a_run_compared_with_itself_differs_in_nothing() -> None:
    compared = compare(record(), record())
    assert not any(item.differs for item in compared.steps)
    assert compared.settings == ()
    assert compared.ratio == 1.0


def test_seconds_stand_side_by_side_and_the_ratio_is_of_the_second_to_the_first() -> None:
    one, other = record(), record()
    one["steps"][0]["seconds"], other["steps"][0]["seconds"] = 2.0, 3.0
    found = pair(compare(one, other), "build")
    assert (found.seconds, found.ratio, times(found.ratio)) == ((2.0, 3.0), 1.5, "× 1.50")


def test_of_no_time_at_all_there_is_no_ratio() -> None:
    assert times(Pair("x", (0.0, 1.0), (True, True)).ratio) == "–"


def test_a_step_that_only_one_of_them_has_stands_apart() -> None:
    one, other = record(), record()
    del one["steps"][-1]
    del other["steps"][0]
    compared = compare(one, other)
    assert pair(compared, "build").ok == (True, None)
    assert pair(compared, "hit").ok == (None, False)
    assert pair(compared, "build").ratio is None
    assert compared.alone == (("build",), ("hit",))
    assert not any(item.differs for item in compared.steps)


def test_commands_that_only_one_ran_are_named_and_repetitions_are_none() -> None:
    one, other = record(), record()
    other["steps"][1]["commands"][0]["text"] = "do otherwise"
    other["steps"][-1]["commands"] *= 2
    compared = compare(one, other)
    assert pair(compared, "layers").only == (("do layers",), ("do otherwise",))
    assert not pair(compared, "hit").differs


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("web-5d7cbddd68-bbbbb 3", "web-7f9c4b5d66-xk2lp 3", True, id="the ends of a Pod's name"),
        pytest.param("Ready at 10.244.0.7.", "Ready at 10.244.1.12.", True, id="addresses"),
        pytest.param("from 649fa20501f9", "from 4e9ff5e5e2f5", True, id="container IDs"),
        pytest.param("Stopped after 0.1 s", "Stopped after 12.5 s", True, id="seconds"),
        pytest.param("image shop:649fa20501f9", "image shop:4e9ff5e5e2f5", False, id="an image's tag"),
        pytest.param("3 Pods", "5 Pods", False, id="counts"),
        pytest.param("kubectl v1.32.4", "kubectl v1.33.0", False, id="versions"),
        pytest.param("curl http://127.0.0.1:8080/", "curl http://127.0.0.1:8081/", False, id="ports"),
        pytest.param("web-one-12", "web-two-12", False, id="names that people give"),
    ],
)
def test_what_is_another_in_every_run_is_no_difference(one: str, other: str, same: bool) -> None:
    assert (masked(one) == masked(other)) == same


def test_proofs_are_compared_by_their_words() -> None:
    one, other = record(), record()
    other["steps"][0]["proof"]["text"] = "another"
    found = pair(compare(one, other), "build").found
    assert found == (one["steps"][0]["proof"]["text"], "another")


def test_proofs_in_two_languages_are_compared_by_their_data() -> None:
    one, other = record(), deepcopy(sample.documents(sample.failed())["zh"])
    assert not any(item.differs for item in compare(one, other).steps)
    other["steps"][1]["proof"]["data"]["layers"][0]["size"] = "9MB"
    assert [item.step for item in compare(one, other).steps if item.differs] == ["layers"]


def test_an_error_in_one_of_them_is_told_beside_the_others_proof() -> None:
    one, other = record(), record()
    other["steps"][0] |= {"ok": False, "error": {"key": "x", "cause": "it broke"}}
    found = pair(compare(one, other), "build")
    assert found.ok == (True, False)
    assert found.found == (one["steps"][0]["proof"]["text"], "it broke")


def test_settings_differ_by_value_or_by_source() -> None:
    one, other = record(), record()
    other["settings"]["replicas"] = 5
    other["origins"] |= {"replicas": "flag", "image": "environment"}
    del other["settings"]["workers"]
    one["settings"]["workers"] = 2
    assert compare(one, other).settings == (
        Setting("image", ("商店", "商店"), ("flag", "environment")),
        Setting("replicas", ("3", "5"), ("–", "flag")),
        Setting("workers", ("2", "–"), ("–", "–")),
    )
