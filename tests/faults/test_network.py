"""The network before the API server goes wrong: a real proxy in between does it, to kubectl and to us."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.faults import proxy, theirs
from tests.faults.proxy import Faults, Proxy
from tests.faults.theirs import FLAGS, Theirs, told

SILENT = ("silent", "drip", "silent at once")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theirs]:
    """Return the cluster with our namespace; afterwards all of ours is removed, and nothing is left."""
    with theirs.cluster(tmp_path_factory.mktemp("network")) as made:
        made.tour("namespace")
        yield made
        made.down()


@pytest.fixture(scope="module")
def between(cluster: Theirs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Proxy]]:
    with proxy.before(cluster.kubeconfig, tmp_path_factory.mktemp("proxy")) as (kubeconfig, running):
        yield kubeconfig, running


@pytest.fixture(autouse=True)
def nothing_deployed(cluster: Theirs) -> None:
    """Begin each test without the app."""
    cluster.kubectl("delete", "deployment,service", "--all", "--namespace", "kubetour")


FORBIDDEN = (
    'deployments.apps is forbidden: User "learner" cannot create resource "deployments" in API group "apps" '
    'in the namespace "kubetour"'
)
OVER = (
    'deployments.apps "node-hostname" is forbidden: exceeded quota: team, '
    "requested: count/deployments.apps=1, used: count/deployments.apps=2, limited: count/deployments.apps=2"
)
WRITE = ("POST", "deployments")
READ = ("GET", "/deployments/")


@pytest.mark.parametrize(
    ("fault", "lang", "status", "code", "words"),
    [
        pytest.param(
            Faults("reset", READ), "en", 5, "KT410", ("broke off", "connection reset by peer"),
            id="reset", marks=pytest.mark.fault("F61"),
        ),
        pytest.param(
            Faults("silent", READ), "zh", 6, "KT505", ("秒内没有结束", "kubectl cluster-info"),
            id="black hole", marks=pytest.mark.fault("F62"),
        ),
        pytest.param(
            Faults("drip", READ), "en", 6, "KT505", ("was ended", "apply -f -"),
            id="a byte each second", marks=pytest.mark.fault("F64"),
        ),
        pytest.param(
            Faults("half", READ), "zh", 5, "KT410", ("没有给出完整的应答", "unexpected end of JSON"),
            id="half an answer", marks=pytest.mark.fault("F65"),
        ),
        pytest.param(
            Faults("status", status=401, message="Unauthorized"), "en", 5, "KT407",
            ("does not know who you are", "asked for the client to provide credentials", "new kubeconfig"),
            id="401", marks=pytest.mark.fault("F66"),
        ),
        pytest.param(
            Faults("status", WRITE, status=403, message=FORBIDDEN), "zh", 5, "KT404",
            ("集群不允许当前用户这样做", 'User "learner" cannot create', "--namespace"),
            id="403", marks=pytest.mark.fault("F51"),
        ),
        pytest.param(
            Faults("status", WRITE, status=403, message=OVER), "en", 5, "KT409",
            ("A quota of the namespace is used up", "exceeded quota: team", "kubectl describe resourcequota"),
            id="quota", marks=pytest.mark.fault("F50"),
        ),
        pytest.param(
            Faults("status", WRITE, status=500, message="etcdserver: leader changed"), "en", 5, "KT410",
            ("etcdserver: leader changed", "run the step again"),
            id="500", marks=pytest.mark.fault("F67"),
        ),
    ],
)  # fmt: skip
def test_what_goes_wrong_between_is_told_and_the_tour_goes_on_from_there(
    cluster: Theirs,
    between: tuple[Path, Proxy],
    fault: Faults,
    lang: str,
    status: int,
    code: str,
    words: tuple[str, ...],
) -> None:
    through, running = between
    running.faults = fault
    timeout = "1" if fault.way in SILENT else "10"
    failed = cluster.tour("deploy", "--timeout", timeout, lang=lang, check=status, through=through)
    assert fault.struck.is_set()
    told(failed, code, *words)
    assert "./inv tour --from deploy" in failed.stderr
    running.faults = Faults()
    cluster.tour("deploy", through=through)
    assert cluster.checkout.report()["ok"]


@pytest.mark.fault("F62")
def test_a_server_that_never_begins_tls_ends_the_run_all_the_same(
    cluster: Theirs, between: tuple[Path, Proxy]
) -> None:
    through, running = between
    running.faults = Faults("silent at once")
    told(cluster.tour("nodes", "--timeout", "1", check=6, through=through), "KT505", "kubectl cluster-info")
    running.faults = Faults()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Faults("late", READ, times=1), id="5 seconds late", marks=pytest.mark.fault("F63")),
        pytest.param(
            Faults("status", READ, times=2, status=429, message="Too many", headers={"Retry-After": "1"}),
            id="429 with Retry-After",
            marks=pytest.mark.fault("F67"),
        ),
        pytest.param(Faults("reset", READ, times=1), id="one reset", marks=pytest.mark.fault("F61")),
    ],
)
def test_what_passes_by_itself_is_not_even_noticed(
    cluster: Theirs, between: tuple[Path, Proxy], fault: Faults
) -> None:
    through, running = between
    running.faults = fault
    cluster.tour("deploy", "--timeout", "30", through=through)
    assert fault.struck.is_set()
    assert fault.times == 0
    running.faults = Faults()


def changed(kubeconfig: Path, to: Path, **cluster: str) -> Path:
    """Return a copy of a kubeconfig whose cluster says something else."""
    config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    config["clusters"][0]["cluster"].update(cluster)
    to.write_text(yaml.safe_dump(config), encoding="utf-8")
    return to


@pytest.mark.fault("F61")
def test_a_server_that_refuses_is_told_in_chinese(cluster: Theirs, tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # held, and nobody listens
        server = f"https://127.0.0.1:{closed.getsockname()[1]}"
        nowhere = changed(cluster.kubeconfig, tmp_path / "refused", server=server)
        failed = cluster.tour("deploy", lang="zh", check=5, through=nowhere)
    told(failed, "KT401", "无法连接 API 服务器", "refused")


@pytest.mark.fault("F68")
@pytest.mark.parametrize("only", ["deploy", "nodes"])
def test_a_certificate_that_nobody_here_trusts_is_no_reason_to_start_a_cluster(
    cluster: Theirs, between: tuple[Path, Proxy], tmp_path: Path, only: str
) -> None:
    wrong = changed(cluster.kubeconfig, tmp_path / "wrong", server=between[1].url)
    failed = cluster.tour(only, check=5, through=wrong)
    told(failed, "KT408", "Somebody may be in between", "x509: certificate signed by unknown authority")


@pytest.mark.fault("F69")
@pytest.mark.parametrize("only", ["deploy", "nodes"])
def test_a_name_that_nobody_resolves_is_told_as_a_cluster_that_cannot_be_reached(
    cluster: Theirs, tmp_path: Path, only: str
) -> None:
    nowhere = changed(cluster.kubeconfig, tmp_path / "nowhere", server="https://cluster.invalid:6443")
    failed = cluster.tour(only, check=5, through=nowhere)
    told(failed, "KT401", "cluster.invalid")


@pytest.mark.fault("F70")
def test_a_proxy_that_is_dead_breaks_nothing_that_stays_on_this_machine(cluster: Theirs) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{closed.getsockname()[1]}"
        proxies: dict[str, Any] = dict.fromkeys(
            ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"), dead
        )
        done = cluster.checkout.inv(
            "tour", *FLAGS, "--only", "deploy,expose,hit,scale,hit-all",
            KUBECONFIG=str(cluster.kubeconfig), **proxies, NO_PROXY="", no_proxy="",
        )  # fmt: skip
    assert "✗" not in done.stdout + done.stderr
