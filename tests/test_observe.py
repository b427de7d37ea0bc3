"""The observer against the real API server of an embedded cluster."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client import CoreV1Api

from kubetour.embedded.testing import EmbeddedCluster
from kubetour.errors import ClusterError, HostError
from kubetour.observe import Cluster, Objects
from kubetour.resources import is_older
from kubetour.restclient import Plain, Whole, connect
from tests import serving as web

PATIENCE = 20.0
pytestmark = pytest.mark.embedded_cluster(runtime="fake")


class Pods:
    """The Pods of the test's namespace, as somebody else changes them."""

    def __init__(self, there: EmbeddedCluster) -> None:
        self._api, self._namespace = CoreV1Api(there.client), there.namespace

    def create(self, name: str, namespace: str = "") -> None:
        self._api.create_namespaced_pod(namespace or self._namespace, pod(name))  # type: ignore[arg-type]

    def delete(self, name: str, namespace: str = "") -> None:
        self._api.delete_namespaced_pod(name, namespace or self._namespace, grace_period_seconds=0)


@pytest.fixture
def pods(embedded_cluster: EmbeddedCluster) -> Pods:
    return Pods(embedded_cluster)


def context(kubeconfig: Path) -> str:
    return str(yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["current-context"])


@pytest.fixture(params=[Plain, Whole])
def cluster(
    embedded_cluster: EmbeddedCluster, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Cluster]:
    """Return the cluster as it is read by urllib3 alone, and by the official client."""
    config = yaml.safe_load(embedded_cluster.kubeconfig.read_text(encoding="utf-8"))
    if request.param is Whole:  # which something in the kubeconfig asks for that urllib3 does not know
        config["clusters"][0]["cluster"]["disable-compression"] = True
    kubeconfig = tmp_path / "kubeconfig-of-this-test"
    kubeconfig.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert isinstance(connect(str(kubeconfig), context(kubeconfig)), request.param)
    with Cluster(str(kubeconfig), context(kubeconfig), embedded_cluster.namespace) as cluster:
        yield cluster


def pod(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "app", "image": "app:1"}]},
    }


def names(objects: Objects) -> set[str]:
    return {item["metadata"]["name"] for item in objects["pods"]}


def test_what_is_there_is_seen(pods: Pods, cluster: Cluster) -> None:
    pods.create("one")
    assert names(cluster.wait(("pods",), lambda seen: bool(seen["pods"]), PATIENCE)) == {"one"}


def test_a_wait_ends_as_soon_as_it_is_met(pods: Pods, cluster: Cluster) -> None:
    cluster.wait(("pods",), lambda seen: True, PATIENCE)
    timer = threading.Timer(0.2, pods.create, ("late",))
    timer.start()
    begun = time.monotonic()
    seen = cluster.wait(("pods",), lambda seen: "late" in names(seen), PATIENCE)
    assert "late" in names(seen)
    assert time.monotonic() - begun < PATIENCE  # met by the watch, not by the deadline
    timer.join()


def test_a_deletion_is_seen(pods: Pods, cluster: Cluster) -> None:
    pods.create("gone")
    cluster.wait(("pods",), lambda seen: "gone" in names(seen), PATIENCE)
    pods.delete("gone")
    assert names(cluster.wait(("pods",), lambda seen: "gone" not in names(seen), PATIENCE)) == set()


def test_objects_of_other_namespaces_are_not_seen(pods: Pods, cluster: Cluster) -> None:
    pods.create("other", "default")
    pods.create("ours")
    assert names(cluster.wait(("pods",), lambda seen: bool(seen["pods"]), PATIENCE)) == {"ours"}
    pods.delete("other", "default")


def test_a_wait_that_is_not_met_returns_what_was_seen_last(pods: Pods, cluster: Cluster) -> None:
    pods.create("one")
    cluster.wait(("pods",), lambda seen: bool(seen["pods"]), PATIENCE)
    assert names(cluster.wait(("pods",), lambda seen: False, 0.05)) == {"one"}


def test_the_version_is_read_without_a_watch(cluster: Cluster) -> None:
    (version,) = cluster.wait(("version",), lambda seen: bool(seen["version"]), PATIENCE)["version"]
    assert "embedded" in version["gitVersion"]
    assert version["client"] == metadata.version("kubernetes")


def test_a_watch_that_breaks_off_goes_on_without_a_gap(pods: Pods, cluster: Cluster) -> None:
    cluster.wait(("pods",), lambda seen: True, PATIENCE)
    for response in list(cluster._responses.values()):
        response.shutdown()
    pods.create("after")
    assert "after" in names(cluster.wait(("pods",), lambda seen: "after" in names(seen), PATIENCE))


def test_a_server_that_is_not_there_is_an_error_with_its_reason(tmp_path: Path) -> None:
    kubeconfig = write_kubeconfig(tmp_path, "https://127.0.0.1:1")
    with Cluster(kubeconfig, "x", "default") as cluster, pytest.raises(ClusterError) as error:
        cluster.wait(("pods",), lambda seen: True, 0.5)
    assert "refused" in str(error.value.values["reason"])


def test_a_server_that_refuses_is_an_error_with_its_status(
    embedded_cluster: EmbeddedCluster, tmp_path: Path
) -> None:
    text = embedded_cluster.kubeconfig.read_text(encoding="utf-8")
    kubeconfig = tmp_path / "another"
    kubeconfig.write_text(text.replace(embedded_cluster.server.record.token, "another"), encoding="utf-8")
    refused = Cluster(str(kubeconfig), context(kubeconfig), "default")
    with refused as cluster, pytest.raises(ClusterError) as error:
        cluster.wait(("pods",), lambda seen: True, 0.5)
    assert "401" in str(error.value.values["reason"])


def test_a_listener_is_told_what_is_known_and_every_change_until_it_has_enough(
    pods: Pods, cluster: Cluster
) -> None:
    told: queue.Queue[Objects] = queue.Queue()
    with cluster.telling(("pods", "services"), told.put):
        pods.create("one")
        seen = told.get(timeout=PATIENCE)
        while "one" not in names({"pods": (), **seen}):
            seen = told.get(timeout=PATIENCE)
    pods.create("late")
    cluster.wait(("pods",), lambda seen: "late" in names(seen), PATIENCE)
    while not told.empty():
        assert "late" not in names({"pods": (), **told.get()})


def write_kubeconfig(directory: Path, server: str) -> str:
    path = directory / "kubeconfig"
    path.write_text(
        "apiVersion: v1\nkind: Config\n"
        f"clusters: [{{name: c, cluster: {{server: '{server}'}}}}]\n"
        "users: [{name: u, user: {token: t}}]\n"
        "contexts: [{name: x, context: {cluster: c, user: u}}]\n",
        encoding="utf-8",
    )
    return str(path)


def test_what_is_forbidden_is_asked_for_once_for_each_wait_and_is_no_trouble(tmp_path: Path) -> None:
    with web.serving("403") as server, Cluster(write_kubeconfig(tmp_path, server.url), "x", "d") as cluster:
        for times in (1, 2):
            with pytest.raises(ClusterError) as error:
                cluster.wait(("nodes",), lambda seen: True, PATIENCE)
            assert error.value.values["status"] == 403
            cluster._threads["nodes"].join(PATIENCE)
            assert server.asked == ["/api/v1/nodes"] * times
        assert cluster.trouble() == ""


def test_a_cluster_that_answers_is_no_trouble(cluster: Cluster) -> None:
    cluster.wait(("pods",), lambda seen: True, PATIENCE)
    assert cluster.trouble() == ""


def test_once_nothing_answers_any_more_the_trouble_is_named_and_listeners_wake(tmp_path: Path) -> None:
    told: queue.Queue[Objects] = queue.Queue()
    empty = '{"kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": []}'
    with (
        web.serving(f"text {empty}", "500") as server,
        Cluster(write_kubeconfig(tmp_path, server.url), "x", "default") as cluster,
        cluster.telling(("pods",), told.put),
    ):
        while not cluster.trouble():
            told.get(timeout=PATIENCE)
        assert "500" in cluster.trouble()


def test_what_was_never_read_is_no_trouble_a_wait_tells_that(tmp_path: Path) -> None:
    with Cluster(write_kubeconfig(tmp_path, "https://127.0.0.1:1"), "x", "default") as cluster:
        with pytest.raises(ClusterError):
            cluster.wait(("pods",), lambda seen: True, 0.5)
        assert cluster.trouble() == ""


def test_a_lost_host_is_more_than_trouble() -> None:
    with Cluster(Gone(is_gone=True), "x", "default") as cluster:
        with pytest.raises(HostError):
            cluster.wait(("pods",), lambda seen: True, PATIENCE)
        with pytest.raises(HostError):
            cluster.trouble()


class Gone:
    """A cluster of a host that cannot be reached any more, once it has been asked for."""

    def __init__(self, is_gone: bool) -> None:
        self.is_gone = is_gone

    def path(self) -> str:
        raise ClusterError("cluster-down")

    def trouble(self) -> HostError | None:
        return HostError("host-lost", host="server") if self.is_gone else None


@pytest.mark.parametrize(("is_gone", "key"), [(True, "host-lost"), (False, "cluster-unreachable")])
def test_a_lost_host_ends_the_wait_and_a_missing_kubeconfig_is_waited_for(is_gone: bool, key: str) -> None:
    with Cluster(Gone(is_gone), "x", "default") as cluster, pytest.raises(ClusterError) as error:
        cluster.wait(("pods",), lambda objects: True, 60 if is_gone else 0.5)
    assert error.value.key == key


class Silent(Gone):
    """A cluster whose kubeconfig does not come: a program that logs in hangs, or its host is silent."""

    def __init__(self) -> None:
        super().__init__(is_gone=False)
        self.asked, self.answers = threading.Event(), threading.Event()
        self.was_waited_for = False

    def path(self) -> str:
        self.asked.set()
        self.was_waited_for |= not self.answers.wait(PATIENCE)
        return super().path()


def test_no_wait_outlasts_its_time_while_it_is_found_out_how_to_connect() -> None:
    silent = Silent()
    with Cluster(silent, "x", "default") as cluster, cluster.telling(("pods",), lambda objects: None):
        assert silent.asked.wait(PATIENCE)
        with pytest.raises(ClusterError) as error:
            cluster.wait(("pods", "nodes"), lambda objects: True, 0.1)
        silent.answers.set()
    assert error.value.key == "cluster-unreachable"
    assert not silent.was_waited_for


def test_a_watch_that_cannot_begin_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(RuntimeError, match="start new thread"), Cluster("", "x", "default") as cluster:
        cluster.wait(("pods",), lambda objects: True, 60)


def test_one_object_is_read_by_its_name_and_anew_for_each_wait(
    embedded_cluster: EmbeddedCluster, cluster: Cluster
) -> None:
    def labels() -> set[str]:
        (found,) = cluster.wait(("namespaces",), lambda seen: bool(seen["namespaces"]), PATIENCE)[
            "namespaces"
        ]
        return set(found["metadata"].get("labels", {}))

    assert "new" not in labels()

    new = {"metadata": {"labels": {"new": "yes"}}}
    CoreV1Api(embedded_cluster.client).patch_namespace(embedded_cluster.namespace, new)
    assert "new" in labels()


def test_one_object_that_is_not_there_yet_is_waited_for(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = ClusterError("cluster-refused", path="/api/v1", status=404, reason="not found")
    answers: list[dict[str, Any] | ClusterError] = [
        absent,
        absent,
        {"metadata": {"name": "kubetour-registry"}},
    ]

    def answer(path: str) -> dict[str, Any]:
        told = answers.pop(0)
        if isinstance(told, ClusterError):
            raise told
        return told

    monkeypatch.setattr(cluster, "_json", answer)
    (found,) = cluster.wait(("secrets",), lambda seen: bool(seen["secrets"]), PATIENCE)["secrets"]
    assert found["metadata"]["name"] == "kubetour-registry"
    assert answers == []


def test_what_this_user_may_not_read_ends_the_wait_at_once(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, *unused: object) -> None:
        raise ClusterError("cluster-refused", path=path, status=403, reason="nodes is forbidden")

    monkeypatch.setattr(cluster, "_get", refuse)
    begun = time.monotonic()
    with pytest.raises(ClusterError) as error:
        cluster.wait(("nodes",), lambda seen: True, PATIENCE)
    assert error.value.values["status"] == 403
    assert time.monotonic() - begun < PATIENCE


@pytest.mark.parametrize(
    ("new", "known", "expected"),
    [("9", "10", True), ("10", "10", False), ("11", "10", False), ("a", "10", False), ("9", None, False)],
)
def test_an_event_with_an_older_version_than_is_known_is_known(
    new: str, known: str | None, expected: bool
) -> None:
    versions = [{"metadata": {"resourceVersion": each}} for each in (new, known)]
    assert is_older(versions[0], versions[1] if known else None) is expected
