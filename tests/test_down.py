"""What `down` decides to remove, with programs that say what a test wants them to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from invoke.context import Context

from kubetour import down
from kubetour.checks import Observation
from kubetour.errors import Interrupted, KubetourError, RefusedError
from kubetour.interrupts import signals
from kubetour.runner import perform
from kubetour.session import Session
from kubetour.settings import Resolved, Settings
from kubetour.state import State
from tests.making import CONTEXT, ctrl_c, make_provider, put

CLUSTER = "kind-cluster/kubetour"


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Return a session on kind whose programs are scripts in this directory; all of them succeed silently."""
    monkeypatch.chdir(tmp_path)  # where commands would run, `.kubetour/` may hold what is needed
    provider = make_provider("kind")
    tools = replace(provider.tools, kind=str(tmp_path / "kind"), engine=str(tmp_path / "docker"))
    settings = replace(provider.settings, cluster_name="kubetour")
    for name in ("kind", "docker"):
        put(tmp_path, name, "exit 0")
    provider = replace(provider, tools=tools, settings=settings)
    return Session(Resolved(Settings(), {}), provider, CONTEXT, State(tmp_path / "state"))


def ids(c: Context, session: Session) -> list[str]:
    return [step.id for step in down.steps(c, session)]


def test_a_cluster_of_the_ledger_that_is_there_is_deleted(
    c: Context, session: Session, tmp_path: Path
) -> None:
    session.state.add(CLUSTER)
    put(tmp_path, "kind", "echo kubetour")
    assert ids(c, session) == ["delete-cluster"]


def test_one_that_is_gone_is_struck_from_the_ledger(c: Context, session: Session) -> None:
    session.state.add(CLUSTER)
    assert ids(c, session) == []
    assert session.state.created() == ()


@pytest.mark.parametrize(
    ("clusters", "left"), [("", False), ("kubetour", True)], ids=["deleted by hand", "ours by the ledger"]
)
def test_a_kubeconfig_goes_with_its_cluster(
    c: Context, session: Session, tmp_path: Path, clusters: str, left: bool
) -> None:
    kubeconfig = tmp_path / session.provider.kubeconfig
    kubeconfig.parent.mkdir(exist_ok=True)
    kubeconfig.touch()
    session.state.add(CLUSTER)
    put(tmp_path, "kind", f"echo {clusters}")
    down.steps(c, session)  # the steps to come delete the other
    assert kubeconfig.exists() is left


def test_a_refused_down_leaves_no_copy_of_anothers_credentials(
    c: Context, session: Session, tmp_path: Path
) -> None:
    kubeconfig = tmp_path / session.provider.kubeconfig
    kubeconfig.parent.mkdir(exist_ok=True)
    put(tmp_path, "kind", f'case "$1" in get) echo kubetour;; export) echo x >{kubeconfig}; exit 1;; esac')
    with pytest.raises(RefusedError):
        down.steps(c, session)
    assert not kubeconfig.exists()


def test_one_that_cannot_be_asked_for_stays_in_the_ledger(
    c: Context, session: Session, tmp_path: Path
) -> None:
    session.state.add(CLUSTER)
    put(tmp_path, "kind", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    with pytest.raises(KubetourError) as error:
        ids(c, session)
    assert error.value.key == "engine-daemon"
    assert session.state.created() == (CLUSTER,)


def test_ctrl_c_while_it_is_asked_whether_it_is_ours_is_no_answer(
    c: Context, session: Session, tmp_path: Path
) -> None:
    put(tmp_path, "kind", f'[ "$1" = get ] && exec echo kubetour; {ctrl_c()}')
    with signals(), pytest.raises(Interrupted):
        down.steps(c, session)


def test_one_that_nobody_can_show_to_be_ours_is_refused(c: Context, session: Session, tmp_path: Path) -> None:
    put(tmp_path, "kind", 'if [ "$1" = get ]; then echo kubetour; else exit 1; fi')
    with pytest.raises(RefusedError) as error:
        ids(c, session)
    assert error.value.key == "cluster-not-ours"


def test_images_of_the_ledger_are_removed_if_the_engine_has_them(
    c: Context, session: Session, tmp_path: Path
) -> None:
    engine = session.provider.engine_name
    session.state.add(f"{engine}-image/here:1", f"{engine}-image/gone:1", "other-image/here:1")
    put(tmp_path, "docker", 'case "$*" in *gone*) exit 1;; esac')
    (remove,) = down.steps(c, session)
    assert [run.argv[-1] for run in remove.actions] == ["here:1"]
    assert session.state.created() == (f"{engine}-image/here:1", "other-image/here:1")


def test_what_interrupted_experiments_left_is_removed_first(
    c: Context, session: Session, tmp_path: Path
) -> None:
    session.state.add("docker-container/left", "docker-container/gone", "directory/.kubetour/layers")
    put(tmp_path, "docker", 'case "$*" in *gone*) exit 1;; esac')
    (remove,) = down.steps(c, session)
    assert remove.id == "delete-experiments"
    assert [run.argv[1:] for run in remove.actions] == [("rm", "-f", "left"), ("-rf", ".kubetour/layers")]
    assert remove.removes == ("docker-container/left", "directory/.kubetour/layers")
    assert session.state.created() == remove.removes


def test_the_tours_own_container_is_stopped_and_not_taken_for_an_experiments(
    c: Context, session: Session
) -> None:
    session.state.add(f"docker-container/kubetour-{session.settings.name}")
    assert ids(c, session) == ["stop-container"]


NETWORK = "docker-network/kind"


@pytest.mark.parametrize(
    ("made", "clusters", "there", "expected", "left"),
    [
        ((CLUSTER, NETWORK), "kubetour", True, ["delete-cluster", "delete-network"], (CLUSTER, NETWORK)),
        ((NETWORK,), "", True, ["delete-network"], (NETWORK,)),
        ((CLUSTER, NETWORK), "kubetour theirs", True, ["delete-cluster"], (CLUSTER, NETWORK)),
        ((CLUSTER,), "kubetour", True, ["delete-cluster"], (CLUSTER,)),
        ((NETWORK,), "", False, [], ()),
    ],
    ids=["ours alone", "the cluster is gone", "others use it", "it was there before", "it is gone"],
)
def test_the_network_goes_if_it_came_with_our_cluster_and_nobody_else_has_one(
    c: Context,
    session: Session,
    tmp_path: Path,
    made: tuple[str, ...],
    clusters: str,
    there: bool,
    expected: list[str],
    left: tuple[str, ...],
) -> None:
    network = f"{session.provider.engine_name}-network/kind"
    named = {NETWORK: network, CLUSTER: CLUSTER}
    session.state.add(*(named[entry] for entry in made))
    put(tmp_path, "kind", f"printf '%s\\n' {clusters}")
    put(tmp_path, "docker", f'case "$*" in "network inspect"*) exit {int(not there)};; esac')
    assert ids(c, session) == expected
    assert session.state.created() == tuple(named[entry] for entry in left)


@pytest.mark.parametrize(("left", "holds"), [("other", True), ("other v1", False)])
def test_a_cluster_is_not_gone_while_a_volume_of_its_nodes_is_there(
    c: Context, session: Session, tmp_path: Path, left: str, holds: bool
) -> None:
    session.state.add(CLUSTER)
    put(tmp_path, "kind", "echo kubetour")
    body = f"case \"$*\" in inspect*control-plane) echo v1; echo v2;; volume*) printf '%s\\n' {left};; esac"
    put(tmp_path, "docker", body)
    (step,) = down.steps(c, session)
    put(tmp_path, "kind", "exit 0")
    proof = step.check(Observation(confirmed=tuple(perform(c, run) for run in step.confirm)))
    assert proof.holds is holds
    assert "v2" not in str(proof.text.values)
