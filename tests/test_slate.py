"""From the first thing that is made to the look after `down`, with programs that say what a test wants."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from invoke.context import Context

from kubetour import slate
from kubetour.errors import Interrupted, KubetourError, LeftoverError
from kubetour.host import Host
from kubetour.interrupts import signals
from kubetour.inventory import Key
from kubetour.project import CHECKOUT_VARIABLE
from kubetour.session import Session
from kubetour.settings import Resolved, Settings
from kubetour.state import State
from kubetour.steps import Stage, Step
from kubetour.text import LANGUAGES, tell
from tests.making import CONTEXT, Printed, ctrl_c, inspected, make_provider, put

CLUSTER, VOLUME, IMAGE = "kind-cluster/k", "docker-volume/v1", "docker-image/web:1"
MAKES = Step("make", Stage.CLUSTER, (), Printed(""), creates=(CLUSTER,))
LOOKS = Step("look", Stage.CLUSTER, (), Printed(""))
REMOVES = Step("remove", Stage.DOWN, (), Printed(""), removes=(CLUSTER,))


class Elsewhere(Host):
    """This machine, with the project in a directory of the test's."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def root(self) -> str:
        return str(self.directory)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """Return a session on kind whose engine has nothing, and whose kubectl says nothing."""
    provider = make_provider("kind")
    for name in ("docker", "kubectl"):
        put(tmp_path, name, "exit 0")
    tools = replace(
        provider.tools, engine=str(tmp_path / "docker"), kubectl=str(tmp_path / "kubectl"), kind="false"
    )
    provider = replace(provider, tools=tools)
    root = tmp_path / "project"
    return Session(
        Resolved(Settings(), {}), provider, CONTEXT, State(root / ".kubetour"), host=Elsewhere(root)
    )


def has(directory: Path, container: str = "", volume: str = "", image: str = "") -> None:
    """Let the engine have a node of the cluster k by that name, a volume, and an image."""
    node = {
        "id": "a1",
        "name": container,
        "labels": {"io.x-k8s.kind.cluster": "k"},
        "mounts": [{"Type": "volume", "Name": "v1"}],
        "ports": {},
    }
    (directory / "told").write_text(inspected(node), encoding="utf-8")
    put(
        directory,
        "docker",
        f"""case "$*" in
"ps "*) [ -z "{container}" ] || echo a1;;
"inspect "*) cat {directory}/told;;
"volume ls "*) [ -z "{volume}" ] || printf '{volume}\\t\\n';;
"images "*) [ -z "{image}" ] || printf '{image}\\tsha256:1\\n';;
esac""",
    )


def clean(c: Context, session: Session) -> None:
    """Look as often as there is time for; the time is over after the third look."""
    slate.check(c, session, set(), clock=itertools.count(0.0, slate.GRACE / 2).__next__)


def left(c: Context, session: Session) -> list[str]:
    with pytest.raises(LeftoverError) as error:
        clean(c, session)
    assert error.value.exit_status == 1
    assert error.value.values["count"] == len(error.value.causes)
    return [f"{text.values['kind'].key} {text.values['name']}" for text in error.value.causes]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once."""
    monkeypatch.setattr(slate, "ROUND", 0.0)


def test_nothing_is_kept_by_what_makes_nothing(c: Context, session: Session) -> None:
    slate.begin(c, session, (LOOKS,))
    assert not session.state.root.exists()


def test_with_the_first_thing_what_is_there_is_kept(c: Context, session: Session, tmp_path: Path) -> None:
    has(tmp_path, "theirs", "v1", "web:1")
    slate.begin(c, session, (LOOKS, MAKES))
    expected: set[Key] = {
        ("container", "theirs", "a1"),
        ("volume", "v1", ""),
        ("image", "web:1", "sha256:1"),
    }
    assert session.state.before() == expected
    session.state.add(CLUSTER)
    has(tmp_path)
    slate.begin(c, session, (MAKES,))
    assert session.state.before() == expected, "the second thing is not the first"
    session.state.strike(CLUSTER)
    slate.begin(c, session, (MAKES,))
    assert session.state.before() == set(), "a new beginning"
    assert session.state.made() == ()


def test_ctrl_c_while_it_is_looked_what_is_there_ends_the_run(
    c: Context, session: Session, tmp_path: Path
) -> None:
    put(tmp_path, "docker", ctrl_c())
    with signals(), pytest.raises(Interrupted):
        slate.begin(c, session, (MAKES,))


def test_an_engine_that_does_not_answer_at_first_is_left_to_the_step_that_needs_it(
    c: Context, session: Session, tmp_path: Path
) -> None:
    put(tmp_path, "docker", "exit 1")
    slate.begin(c, session, (MAKES,))
    assert session.state.before() == set()


def test_after_down_each_thing_that_is_left_is_named(c: Context, session: Session, tmp_path: Path) -> None:
    session.state.add(CLUSTER, IMAGE)
    has(tmp_path, "k-control-plane", "v1")
    slate.note(c, session, (REMOVES,))
    session.state.strike(CLUSTER, IMAGE)
    has(tmp_path, "k-control-plane", "v1", "web:1")
    assert left(c, session) == ["left.container k-control-plane", "left.volume v1", "left.image web:1"]
    has(tmp_path, "", "v1")
    assert left(c, session) == ["left.volume v1"]
    has(tmp_path)
    clean(c, session)
    has(tmp_path, "", "v1", "web:1")  # what comes later under such a name is not ours
    clean(c, session)


def test_what_was_there_before_is_not_left(c: Context, session: Session, tmp_path: Path) -> None:
    has(tmp_path, "", "v1", "web:1")
    slate.begin(c, session, (MAKES,))
    session.state.add(CLUSTER, IMAGE)
    clean(c, session)


def test_a_cluster_that_another_checkout_made_and_this_one_removes_is_looked_for_too(
    c: Context, session: Session, tmp_path: Path
) -> None:
    slate.note(c, session, (REMOVES,))
    has(tmp_path, "k-control-plane")
    assert left(c, session) == ["left.container k-control-plane"]


def test_what_goes_a_moment_later_is_waited_for(c: Context, session: Session, tmp_path: Path) -> None:
    session.state.add(IMAGE)
    put(
        tmp_path,
        "docker",
        f"""case "$*" in "images "*)
[ -e {tmp_path}/asked ] || printf 'web:1\\tsha256:1\\n'; touch {tmp_path}/asked;;
esac""",
    )
    clean(c, session)


def test_an_entry_of_ours_in_the_users_kubeconfig_is_named(
    c: Context, session: Session, tmp_path: Path
) -> None:
    session.state.add(CLUSTER)
    put(tmp_path, "kubectl", r"printf 'context\tkind-k\ncontext\tkind-other\n'")
    assert left(c, session) == ["left.kubeconfig context kind-k"]
    session.state.strike(CLUSTER)
    slate.begin(c, session, (MAKES,))
    session.state.add(CLUSTER)
    clean(c, session)  # it was the user's before


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_a_process_of_ours_is_named_as_long_as_it_runs(c: Context, session: Session) -> None:
    mark = {CHECKOUT_VARIABLE: session.host.root}
    with subprocess.Popen(["tail", "-f", "/dev/null"], env={**os.environ, **mark}) as process:
        try:
            assert left(c, session) == [f"left.process {process.pid} tail -f /dev/null"]
        finally:
            process.kill()
    clean(c, session)


def test_an_engine_that_cannot_be_asked_is_no_clean_slate(
    c: Context, session: Session, tmp_path: Path
) -> None:
    session.state.add(CLUSTER)
    put(tmp_path, "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    with pytest.raises(KubetourError) as error:
        clean(c, session)
    assert error.value.key == "engine-daemon"
    assert CLUSTER in session.state.made()


def test_another_engine_that_the_ledger_names_is_looked_at_too(
    c: Context, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    put(tmp_path / "bin", "podman", "case \"$*\" in 'images '*) printf 'localhost/web:1\\t1\\n';; esac")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    session.state.add("podman-image/localhost/web:1")
    assert left(c, session) == ["left.image localhost/web:1"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_looked_at_and_what_is_left_is_told(
    c: Context, session: Session, tmp_path: Path, language: str
) -> None:
    assert "docker" in tell(language, slate.check(c, session, set()))
    session.state.add(IMAGE)
    has(tmp_path, image="web:1")
    with pytest.raises(LeftoverError) as error:
        clean(c, session)
    (told,) = (tell(language, text) for text in error.value.causes)
    assert told.endswith(f"{tmp_path}/docker image rm web:1")
    assert told.startswith({"en": "image web:1", "zh": "镜像 web:1"}[language])
