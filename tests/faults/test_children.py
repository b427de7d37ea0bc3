"""Programs that are not as they must be: stand-ins on PATH, first of all for kubectl."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.checkout import Checkout, make
from tests.faults.telling import told_well

FLAGS = ("--provider", "embedded", "--cluster-name", "children")
Stub = Callable[[str], str]
# Works when it is asked for its version, as all programs do at first.
WORKS = 'case "$*" in "version --client"*) exec {kubectl} "$@" ;; esac\n{then}'

pytestmark = pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl on PATH")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """Return a checkout with a cluster."""
    made = make(tmp_path_factory.mktemp("children"))
    try:
        made.inv("create-cluster", *FLAGS)
        yield made
    finally:
        made.clean(*FLAGS)


@pytest.fixture
def kubectl(tmp_path: Path) -> Stub:
    """Return what puts a script in kubectl's place, and returns the directory of it."""

    def put(script: str) -> str:
        path = tmp_path / "bin/kubectl"
        path.parent.mkdir()
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return str(path.parent)

    return put


@pytest.mark.fault("F10")
@pytest.mark.parametrize(
    "script",
    [
        "exit 127",
        "exit 1",
        "exec /bin/sleep 300",
        "exec /usr/bin/head -c 10000000 /dev/urandom",
        'echo \'{"clientVersion": {"gitVersion": "v1.11.0"}}\'',
        "kill -9 $$",
    ],
    ids=["127", "1", "hangs", "10 MB of anything", "too old", "killed"],
)
def test_a_kubectl_that_does_not_work_is_passed_over_and_why_is_told(
    running: Checkout, kubectl: Stub, tmp_path: Path, script: str
) -> None:
    lang = ("en", "zh")[len(script) % 2]
    where = {"PATH": kubectl(script), "HOME": str(tmp_path), "XDG_CACHE_HOME": ""}
    told = running.inv("nodes", *FLAGS, "--offline", lang=lang, check=3, **where)
    told_well(told, "KT205", lang)
    assert f"{where['PATH']}/kubectl: " in told.stderr, "the evidence names it"


@pytest.mark.fault("F11")
@pytest.mark.parametrize(
    ("then", "says"),
    [
        ("head -c 10000000 /dev/zero | tr '\\0' x >&2; exit 1", "xxxx"),
        ("yes 'a line' | head -c 10000000; exit 1", "a line"),
        ("printf '\\377\\033]0;pwned\\007 bad\\n' >&2; exit 1", "\ufffd bad"),
        ("kill -9 $$", "137"),
        ("echo 'fatal: resource temporarily unavailable' >&2; exit 2", "unavailable"),
    ],
    ids=[
        "a line of 10 MB",
        "10 MB of lines",
        "not UTF-8, and a terminal's sequence",
        "killed",
        "no processes",
    ],
)
def test_what_a_failing_kubectl_prints_is_shown_harmlessly_and_in_bounds(
    running: Checkout, kubectl: Stub, then: str, says: str
) -> None:
    lang = ("en", "zh")[len(then) % 2]
    real = shutil.which("kubectl")
    path = kubectl(WORKS.format(kubectl=real, then=then)) + ":/usr/local/bin:/usr/bin:/bin"
    short = "resource" in then
    told = running.inv(
        "tour", *FLAGS, "--quiet", "--only", "nodes", lang=lang, check=10 if short else 5, PATH=path
    )
    told_well(told, "KT719" if short else "KT301", lang)
    assert says in told.stderr
    assert "\x1b" not in told.stderr + told.stdout
    assert len(told.stderr) < 40_000
    assert "--from nodes" in told.stderr
    running.inv("nodes", *FLAGS)


@pytest.mark.fault("F12")
def test_a_kubectl_that_says_all_is_well_and_does_nothing_proves_nothing(
    running: Checkout, kubectl: Stub
) -> None:
    path = kubectl(WORKS.format(kubectl=shutil.which("kubectl"), then="exit 0")) + ":/usr/bin:/bin"
    told = running.inv("run-pod", *FLAGS, "--timeout", "3", check=6, PATH=path)
    told_well(told, "KT501")
    running.inv("down", *FLAGS)
    running.inv("create-cluster", *FLAGS)
