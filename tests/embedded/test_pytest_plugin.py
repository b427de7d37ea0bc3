"""The fixtures in somebody else's test suite: a directory that knows nothing of this project."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.commands import PROJECT, until

pytest_plugins = ["pytester"]
PLUGIN = "kubetour.embedded.pytest_plugin"
needs_kubectl = pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not on PATH")
needs_proc = pytest.mark.skipif(not Path("/proc/self").exists(), reason="Linux only: it reads /proc")


@pytest.fixture(autouse=True)
def nothing_is_left(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    # The state directory of each cluster is in its process' environment.
    yield
    mark = str(pytester.path).encode()
    until(lambda: _processes(mark) == [])
    assert list(pytester.path.glob("**/clusters/*/cluster.json")) == []
    assert list(pytester.path.glob("**/kubeconfigs/*")) == []


def _processes(mark: bytes) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(item.startswith(b"KUBETOUR_EMBEDDED_ROOT=" + mark) for item in environment):
            found.append(process.name)
    return found


def suite(pytester: pytest.Pytester, text: str, *argv: str) -> pytest.RunResult:
    """Run a suite with every warning an error."""
    pytester.makepyfile(test_suite=text)
    base = ("--basetemp", str(pytester.path / "tmp"))
    options = ("-p", PLUGIN, "-W", "error", "--strict-markers", "-p", "no:cacheprovider", *base)
    return pytester.runpytest_subprocess(*options, *argv, timeout=120)


@needs_kubectl
def test_a_test_gets_a_namespace_a_kubeconfig_and_a_client(pytester: pytest.Pytester) -> None:
    found = suite(
        pytester,
        """
        import subprocess
        from kubernetes.client import CoreV1Api

        seen = []

        def test_kubectl(embedded_cluster):
            seen.append(embedded_cluster)
            assert embedded_cluster.kubeconfig.stat().st_mode & 0o777 == 0o600
            command = ["kubectl", "create", "configmap", "kept", "-o", "name"]
            subprocess.run(command, env=embedded_cluster.environment, check=True)
            api = CoreV1Api(embedded_cluster.client)
            maps = api.list_namespaced_config_map(embedded_cluster.namespace).items
            assert "kept" in [each.metadata.name for each in maps]

        def test_another(embedded_cluster):
            assert embedded_cluster.server is seen[0].server
            assert embedded_cluster.namespace != seen[0].namespace
            api = CoreV1Api(embedded_cluster.client)
            maps = api.list_namespaced_config_map(embedded_cluster.namespace).items
            assert "kept" not in [each.metadata.name for each in maps]
            left = {each.metadata.name: each.status.phase for each in api.list_namespace().items}
            assert left.get(seen[0].namespace) in (None, "Terminating")
        """,
    )
    found.assert_outcomes(passed=2)


@needs_kubectl
def test_a_fresh_cluster_is_one_tests_alone_and_the_marker_says_what_kind(pytester: pytest.Pytester) -> None:
    found = suite(
        pytester,
        """
        import subprocess
        import pytest
        from kubernetes.client import CoreV1Api
        from kubernetes.client.rest import ApiException
        from kubernetes.stream import stream

        def kubectl(cluster, *argv):
            done = subprocess.run(
                ["kubectl", *argv], env=cluster.environment, capture_output=True, text=True, timeout=60
            )
            return done.returncode, done.stdout + done.stderr

        @pytest.mark.embedded_cluster(nodes=3, runtime="fake")
        def test_fake(fresh_embedded_cluster, embedded_cluster):
            cluster = fresh_embedded_cluster
            assert cluster.server is not embedded_cluster.server
            assert cluster.namespace == "default"
            assert kubectl(cluster, "get", "nodes", "-o", "name")[1].split() == [
                f"node/pytest-{name}" for name in ("control-plane", "worker", "worker2")
            ]
            assert kubectl(cluster, "run", "web", "--image=nginx")[0] == 0
            assert kubectl(cluster, "wait", "--for=condition=Ready", "pod/web", "--timeout=30s")[0] == 0
            assert kubectl(cluster, "logs", "web") == (0, "")
            api = CoreV1Api(cluster.client)
            with pytest.raises(ApiException) as refused:
                stream(api.connect_get_namespaced_pod_exec, "web", "default", command=["true"])
            assert "the runtime of this cluster is fake" in str(refused.value)
            assert "the runtime of this cluster is fake" in kubectl(cluster, "exec", "web", "--", "true")[1]
            assert kubectl(cluster, "delete", "pod", "web", "--timeout=30s")[0] == 0

        @pytest.mark.parametrize("number", range(2))
        def test_alone(fresh_embedded_cluster, number):
            assert kubectl(fresh_embedded_cluster, "create", "namespace", "mine")[0] == 0
        """,
    )
    found.assert_outcomes(passed=3)


def test_a_cluster_that_a_test_has_killed_is_replaced_for_the_next(pytester: pytest.Pytester) -> None:
    found = suite(
        pytester,
        """
        import os, signal

        def test_kills(embedded_cluster):
            os.kill(embedded_cluster.server.directory.server().pid, signal.SIGKILL)

        def test_next(embedded_cluster):
            assert embedded_cluster.server.is_alive
            assert embedded_cluster.server.request("GET", "/api/v1/nodes") == 200

        def test_fails(embedded_cluster, fresh_embedded_cluster):
            raise SystemError("whatever")
        """,
    )
    found.assert_outcomes(passed=2, failed=1)


@needs_proc
def test_a_cluster_ends_with_a_pytest_that_is_killed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_suite="""
        import os, pathlib, time

        def test_waits(embedded_cluster, fresh_embedded_cluster):
            pathlib.Path("ready").touch()
            time.sleep(600)
        """
    )
    argv = ("-m", "pytest", "-p", PLUGIN, "--basetemp", str(pytester.path / "tmp"))
    running = pytester.popen([sys.executable, *argv], stdin=subprocess.DEVNULL)
    try:
        until((pytester.path / "ready").exists, 60)
        # Each cluster has its server, and what carries its connections.
        assert len(_processes(str(pytester.path).encode())) == 4
    finally:
        running.send_signal(signal.SIGKILL)
        running.communicate()
    directories = [pytester.path / "tmp" / "embedded0" / name / "clusters" / "pytest" for name in ("1", "2")]
    until(lambda: not any(directory.exists() for directory in directories), 60)


def test_a_run_that_does_not_ask_for_a_cluster_pays_nothing(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import sys

        def pytest_unconfigure():
            print("loaded:", sorted(name for name in sys.modules if name.startswith("kubetour")))
            print("heavy:", sorted({"aiohttp", "cryptography", "kubernetes", "sqlite3"} & {*sys.modules}))
        """
    )
    found = suite(pytester, "def test_nothing():\n    pass\n")
    found.assert_outcomes(passed=1)
    found.stdout.fnmatch_lines(
        [f"loaded: {['kubetour', 'kubetour.embedded', PLUGIN]}".replace("[", "[[]"), "heavy: [[]]"]
    )


def test_workers_of_xdist_each_have_a_cluster(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    found = suite(
        pytester,
        """
        import pytest

        @pytest.mark.parametrize("number", range(6))
        def test_each(embedded_cluster, number):
            assert embedded_cluster.server.request("GET", "/api/v1/namespaces/default") == 200
        """,
        "-n",
        "2",
    )
    found.assert_outcomes(passed=6)


def test_an_installed_wheel_brings_the_fixtures_along(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("setuptools", minversion="77")  # what pyproject.toml asks for
    source = pytester.mkdir("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, source / name)
    shutil.copytree(PROJECT / "kubetour", source / "kubetour", ignore=shutil.ignore_patterns("__pycache__"))
    build = "import setuptools.build_meta as b; print(b.build_wheel('..'))"
    done = subprocess.run(
        [sys.executable, "-c", build], cwd=source, check=True, capture_output=True, text=True, timeout=120
    )
    installed = pytester.path / "installed"
    with zipfile.ZipFile(pytester.path / done.stdout.split()[-1]) as wheel:
        wheel.extractall(installed)
    shutil.rmtree(source)
    monkeypatch.setenv("PYTHONPATH", str(installed))
    pytester.makepyfile(
        """
        import kubetour

        def test_found(embedded_cluster):
            assert "installed" in kubetour.__file__
            assert embedded_cluster.server.request("GET", "/version") == 200
        """
    )
    base = ("--basetemp", str(pytester.path / "tmp"))
    found = pytester.runpytest_subprocess("-W", "error", *base, timeout=120)  # nothing names the plugin
    found.assert_outcomes(passed=1)
