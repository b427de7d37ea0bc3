"""Whatever ends a tour, wherever: no command of it runs on, the terminal is as it was, one can go on."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from tests.e2e.checkout import Checkout, Finished, make
from tests.e2e.test_embedded_tour import CHAPTERS
from tests.faults.endings import ENDINGS, HELD, MOMENTS, TYPED, Point, end_at
from tests.faults.telling import told_well

FLAGS = ("--provider", "embedded", "--cluster-name", "sweep", "--name", "sweep")


def points(every: bool) -> list[Point]:
    """Return the points of a sweep: each moment of each step with one ending, or with every one."""
    moments = [(step, moment) for step in CHAPTERS for moment in MOMENTS]
    moments.pop()  # when its last step is proved, the tour is over
    if every:
        return [Point(*moment, ending) for moment in moments for ending in ENDINGS]
    return [Point(*moment, ending) for moment, ending in zip(moments, cycle(ENDINGS), strict=False)]


@pytest.mark.fault("F13", "F14", "F15", "F16")
def test_a_tour_ended_at_every_point_can_be_gone_on_with(
    checkout: Checkout, pytestconfig: pytest.Config
) -> None:
    for point in points(pytestconfig.getoption("--every-fault")):
        end_at(checkout, point, *FLAGS)
    checkout.inv("tour", *FLAGS, "--quiet")
    checkout.clean(*FLAGS[:4])


@pytest.mark.fault("F84")
@pytest.mark.parametrize("ending", [TYPED, HELD])
def test_a_tour_ended_in_the_middle_of_whatever_it_does_ends_well(
    checkout: Checkout, ending: str, pytestconfig: pytest.Config
) -> None:
    checkout.inv("tour", *FLAGS, "--quiet", "--until", "deploy")
    for hundredths in range(0, 60, 1 if pytestconfig.getoption("--every-fault") else 10):
        end_at(checkout, Point("expose", "begun", ending, hundredths / 100), *FLAGS)
    checkout.clean(*FLAGS[:4])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """Return a checkout with a cluster, for what only looks at it."""
    made = make(tmp_path_factory.mktemp("streams"))
    try:
        made.inv("create-cluster", *FLAGS[:4])
        yield made
    finally:
        made.clean(*FLAGS[:4])


def in_shell(checkout: Checkout, line: str, lang: str = "en") -> Finished:
    """Run a line of bash, in which INV is how Invoke is called."""
    done = subprocess.run(
        ["bash", "-c", line.replace("INV", shlex.join(checkout.command("nodes", *FLAGS[:4])))],
        cwd=checkout.root, env=checkout.environ(lang), stdin=subprocess.DEVNULL,
        capture_output=True, encoding="utf-8", timeout=60, check=False,
    )  # fmt: skip
    return Finished(done.returncode, done.stdout, done.stderr)


@pytest.mark.fault("F17")
def test_a_reader_that_goes_away_ends_it_without_a_word(running: Checkout) -> None:
    told = in_shell(running, "INV 2>&1 | head -1; echo ${PIPESTATUS[0]}")
    assert told.stdout.splitlines()[-1] == "141"
    assert "Traceback" not in told.stdout + told.stderr
    assert "BrokenPipe" not in told.stdout + told.stderr


@pytest.mark.fault("F18")
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_streams_that_are_closed_do_not_matter(running: Checkout, closed: str) -> None:
    told = in_shell(running, f"INV {closed}")
    assert told.status == 0, told.told()
    assert told.stderr == ""


@pytest.mark.fault("F19")
@pytest.mark.parametrize(
    ("line", "code", "lang"),
    [("INV >/dev/full", "KT708", "en"), ("prlimit --nofile=8 INV", "KT719", "zh")],
)
def test_a_limit_of_the_machine_is_told_as_one(running: Checkout, line: str, code: str, lang: str) -> None:
    told = in_shell(running, line, lang)
    assert told.status == 10
    told_well(told, code, lang)
    running.inv("nodes", *FLAGS[:4])


@pytest.fixture
def students() -> Iterator[tuple[Checkout, list[str]]]:
    """Return another user's checkout, and how they run a command: root has no limit on processes."""
    user = str(40_000 + os.getpid() % 20_000)  # whom nobody else is
    # They may read what root has: the Python that runs this may lie in root's home.
    reads = "+dac_override,+dac_read_search"
    as_user = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"]
    as_user += ["--inh-caps", reads, "--ambient-caps", reads]
    with tempfile.TemporaryDirectory(prefix="kubetour-student-", ignore_cleanup_errors=True) as home:
        os.chmod(home, 0o711)  # noqa: S103  (another user goes through it)
        if subprocess.run([*as_user, "env", sys.executable, "-c", "import invoke"], check=False).returncode:
            pytest.skip("another user cannot run this Python")
        made = make(Path(home))
        for path in (made.root, *made.root.rglob("*")):
            os.chown(path, int(user), int(user))
        yield made, as_user


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.fault("F82")
def test_a_limit_on_processes_is_told_as_one_wherever_it_strikes(
    students: tuple[Checkout, list[str]],
) -> None:
    checkout, as_user = students
    flags = ("--provider", "embedded", "--cluster-name", "few", "--name", "few")

    def run(*argv: str, limit: int = 500, lang: str = "en") -> Finished:
        done = subprocess.run(
            [*as_user, "prlimit", f"--nproc={limit}", *checkout.command(*argv, *flags[:4])],
            cwd=checkout.root, env=checkout.environ(lang, HOME=str(checkout.root)), stdin=subprocess.DEVNULL,
            capture_output=True, encoding="utf-8", timeout=120, check=False,
        )  # fmt: skip
        return Finished(done.returncode, done.stdout, done.stderr)

    for limit, lang in zip((1, 3, 8, 12), cycle(("en", "zh")), strict=False):
        told = run("tour", "--quiet", "--only", "build,create-cluster", limit=limit, lang=lang)
        assert told.status == 10, f"{limit}: {told.told()}"
        told_well(told, "KT719", lang)
        assert checkout.processes() == [], limit
    again = run("tour", "--quiet", "--only", "build,create-cluster")
    assert again.status == 0, again.told()
    cleaned = run("down", "--check")
    assert cleaned.status == 0, cleaned.told()
    assert checkout.processes() == []
