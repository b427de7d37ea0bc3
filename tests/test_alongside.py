"""What programs share that run commands beside their own work."""

from __future__ import annotations

import pytest

from kubetour.alongside import shell_status, split


@pytest.mark.parametrize(
    ("argv", "parts"),
    [
        (["a", "--", "b", "c"], (["a"], [["b", "c"]])),
        (["--", "b", "--", "c"], ([], [["b"], ["c"]])),
        (["a"], (["a"], [])),
    ],
)
def test_each_command_stands_behind_two_dashes(argv: list[str], parts: object) -> None:
    assert split(argv) == parts


@pytest.mark.parametrize(
    ("returncode", "status"),
    [(0, 0), (3, 3), (-9, 137), (-15, 143)],
    ids=["well", "failed", "killed", "ended"],
)
def test_an_exit_status_is_told_as_a_shell_tells_it(returncode: int, status: int) -> None:
    assert shell_status(returncode) == status
