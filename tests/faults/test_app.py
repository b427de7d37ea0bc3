"""The app misbehaves: it answers as nobody expects, or leaves processes behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.checkout import Checkout, Finished, make
from tests.faults.theirs import told

CLUSTER = ("--provider", "embedded", "--cluster-name", "misbehaved", "--replicas", "1")
BODY = "`You've hit ${hostname}\\n`"
AWAY = "return response.writeHead(302, {Location: 'http://127.0.0.1:9/'}).end();"
HEAD = "  response.writeHead(200, {"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """Return a checkout whose embedded cluster runs."""
    checkout = make(tmp_path_factory.mktemp("misbehaved"))
    try:
        checkout.inv("tour", *CLUSTER, "--only", "create-cluster", "--quiet")
        yield checkout
    finally:
        checkout.clean(*CLUSTER[:4])


@pytest.fixture
def app(checkout: Checkout) -> Iterator[Path]:
    """Return the app's source, which a test may change; afterwards it is as it was."""
    path = checkout.root / "app/app.js"
    before = path.read_text(encoding="utf-8")
    yield path
    path.write_text(before, encoding="utf-8")


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def hit(checkout: Checkout, *argv: str, lang: str = "en", check: int = 0) -> Finished:
    """Build what the app is now, roll it out, and request it."""
    steps = ("--only", "build,load,deploy,expose,hit")
    return checkout.inv("tour", *CLUSTER, *steps, *argv, lang=lang, check=check)


@pytest.mark.parametrize(
    ("old", "new", "lang", "words"),
    [
        pytest.param(
            BODY, "`You've hit somebody-else\\n`", "zh", ("somebody-else",),
            id="wrong host", marks=pytest.mark.fault("F58"),
        ),
        pytest.param(BODY, "''", "en", ("KT501",), id="empty", marks=pytest.mark.fault("F58")),
        pytest.param(
            BODY, "'x'.repeat(10_000_000)", "en", ("xxxxxxxx",), id="10 MB", marks=pytest.mark.fault("F58")
        ),
        pytest.param(
            HEAD, f"  if (!probe) {AWAY}\n{HEAD}", "zh", ("KT501",),
            id="redirect", marks=pytest.mark.fault("F59"),
        ),
        pytest.param(
            HEAD, "  if (!probe) return;\n" + HEAD, "en", ("curl: (28)", "timed out"),
            id="hangs", marks=pytest.mark.fault("F59"),
        ),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_a_pods_name_ends_the_step_at_its_deadline_with_what_came(
    checkout: Checkout, app: Path, old: str, new: str, lang: str, words: tuple[str, ...]
) -> None:
    change(app, old, new)
    failed = hit(checkout, "--timeout", "15", lang=lang, check=6)
    told(failed, "KT501", *words)
    assert checkout.report()["steps"][-1]["step"] == "hit"
    assert len(failed.stdout + failed.stderr) < 200_000
    record = max((checkout.root / ".kubetour/runs").iterdir(), key=lambda run: run.stat().st_mtime_ns)
    assert (record / "report.json").stat().st_size < 2_000_000


@pytest.mark.fault("F60")
def test_what_a_terminal_would_obey_is_taken_out_of_an_answer(checkout: Checkout, app: Path) -> None:
    change(app, BODY, r"`You've hit ${hostname}\x1b]0;taken over\x07\x1b[2J\x9b31m\u202e\n`")
    well = hit(checkout)
    assert re.search(r"You've hit node-hostname-", well.stdout)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", well.stdout + well.stderr)


@pytest.mark.fault("F57")
def test_what_a_container_started_in_a_session_of_its_own_ends_with_it(checkout: Checkout, app: Path) -> None:
    change(
        app,
        "let stopping = false;",
        "let stopping = false;\nrequire('node:child_process').spawn("
        "'sh', ['-c', 'trap : HUP; while :; do sleep 1000; done'], "
        "{detached: true, stdio: 'ignore'}).unref();",
    )
    hit(checkout)
    assert any("sleep 1000" in words for words in checkout.processes())
    checkout.inv("tour", *CLUSTER, "--only", "delete-app", check=None)
    checkout.clean(*CLUSTER[:4])
    assert checkout.processes() == []
