"""Another host, as a session uses it, by a real sshd: what is found, brought, read and removed."""

from __future__ import annotations

import json
import shutil
import signal
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from invoke.context import Context

from kubetour import buildcontext, tools
from kubetour.buildcontext import BuildContext
from kubetour.errors import HostError, IntegrityError, ResourceError, ToolError
from kubetour.observe import Cluster
from kubetour.pins import pin, this_system
from kubetour.project import ROOT
from kubetour.providers import Provider
from kubetour.remote import host as hosts
from kubetour.remote import programs
from kubetour.remote import tunnel as tunnels
from kubetour.remote.host import MARK, RemoteHost, directory_name
from kubetour.runner import perform
from kubetour.state import State
from kubetour.steps import Run
from kubetour.text import Text
from tests.making import make_provider
from tests.remote import sshd
from tests.remote.conftest import Land
from tests.remote.sshd import Sshd
from tests.serving import serving

KUBECTL = """#!/bin/sh
case "$*" in
*view*) cat "$HOME/kubeconfig" ;;
*) echo '{"clientVersion": {"gitVersion": "v1.36.0"}}' ;;
esac
"""
# What a session needs of an otherwise empty PATH.
PROGRAMS = (
    "sh",
    "cat",
    "tar",
    "gzip",
    "mkdir",
    "dirname",
    "rm",
    "rmdir",
    "uname",
    "sleep",
    "test",
    "env",
    "cksum",
)


@pytest.fixture
def context() -> BuildContext:
    return buildcontext.read(ROOT, ".")


@pytest.fixture
def provider() -> Provider:
    """Return a provider that needs no Python there."""
    return make_provider("kind")


@pytest.fixture
def said() -> list[Text]:
    return []


@pytest.fixture
def machine(c: Context, known: Path, host: str, land: Land) -> Iterator[RemoteHost]:
    """Yield the host; afterwards nothing of ours is there."""
    with closing(RemoteHost(c, host)) as made:
        yield made
    shutil.rmtree(land.account.home / ".cache", ignore_errors=True)


def test_a_first_look_changes_nothing(machine: RemoteHost, c: Context, land: Land) -> None:
    before = sorted(land.account.home.iterdir())
    there = machine.context(c)
    assert machine.root.startswith(str(land.account.home / ".cache/kubetour"))
    assert machine.system == this_system()
    assert machine.free_port(20000) >= 20000
    assert perform(there, Run(("pwd",))).stdout.strip() == str(land.account.home)
    assert sorted(land.account.home.iterdir()) == before


def test_preparing_makes_one_private_directory_and_ships_the_context(
    machine: RemoteHost, c: Context, provider: Provider, context: BuildContext, said: list[Text]
) -> None:
    there = machine.context(c)
    machine.prepare(provider, machine.placed(context), True, said.append)
    root = Path(machine.root)
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    shipped = {"Dockerfile", ".dockerignore", "app", "kubetour"}
    assert {path.name for path in root.iterdir()} == {MARK, ".kubetour", *shipped}
    programs = ["__init__.py", "alongside.py", "forwarded.py", "steady.py"]
    assert sorted(path.name for path in (root / "kubetour").iterdir()) == programs
    assert stat.S_IMODE((root / "app/app.js").stat().st_mode) == 0o644
    assert [text.key for text in said] == ["host.shipping"]
    assert perform(there, Run(("pwd",))).stdout.strip() == machine.root
    steady = perform(there, Run((machine.bare_python(), "-m", "kubetour.steady", "--help")))
    assert (steady.status, "requests per second" in steady.stdout) == (0, True)
    forwarded = perform(there, Run((machine.bare_python(), "-m", "kubetour.forwarded", "--help")))
    assert (forwarded.status, "port-forward" in forwarded.stdout) == (0, True)


def test_leaving_removes_it_and_says_so_but_not_while_something_made_is_left(
    machine: RemoteHost,
    c: Context,
    provider: Provider,
    context: BuildContext,
    said: list[Text],
    tmp_path: Path,
) -> None:
    machine.context(c)
    machine.prepare(provider, machine.placed(context), True, lambda text: None)
    state = State(tmp_path, machine.name)
    state.add("kind-cluster/kubetour")
    machine.leave(state, said.append)
    assert Path(machine.root).is_dir()
    state.strike("kind-cluster/kubetour")
    machine.leave(state, said.append)
    assert not Path(machine.root).parent.exists()
    assert [text.key for text in said] == ["host.left"]


def test_a_directory_that_lost_its_mark_is_not_removed(
    machine: RemoteHost, c: Context, provider: Provider, context: BuildContext, tmp_path: Path
) -> None:
    machine.context(c)
    machine.prepare(provider, machine.placed(context), True, lambda text: None)
    (Path(machine.root) / MARK).unlink()
    with pytest.raises(Exception, match="command-failed"):
        machine.leave(State(tmp_path, machine.name), lambda text: None)
    assert (Path(machine.root) / "Dockerfile").is_file()


def test_a_port_that_something_listens_on_there_is_passed_over(
    machine: RemoteHost, c: Context, server: Sshd
) -> None:
    machine.context(c)
    assert machine.free_port(server.port) > server.port
    free = machine.free_port(server.port)
    assert machine.free_port(free, (free,)) > free


def test_when_every_port_near_is_busy_the_range_is_named(machine: RemoteHost, c: Context) -> None:
    machine.context(c)
    with pytest.raises(ResourceError):
        machine.free_port(65000, tuple(range(65000, 65536)))


def test_directories_of_two_checkouts_and_of_two_machines_differ(tmp_path: Path) -> None:
    names = {directory_name(tmp_path / place, who) for place in ("a b", "c/a b") for who in ("one", "two")}
    assert len(names) == 4
    assert all(name.startswith("a_b-") and "/" not in name for name in names)
    assert directory_name(Path("/srv/项目"), "x").startswith("项目-")


class TestWithoutKubectlThere:
    @pytest.fixture
    def bare(self, known: Path, land: Land, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
        """Yield a host with few programs; here, the cache has a kubectl for its system."""
        programs = land.base / "programs"
        programs.mkdir(exist_ok=True)
        for name in PROGRAMS:
            found = shutil.which(name)
            if found and not (programs / name).exists():
                (programs / name).symlink_to(found)
        wanted = pin("kubectl")
        ours = tmp_path / f"cache/kubetour/kubectl-{wanted.version}-{this_system().replace('/', '-')}/kubectl"
        ours.parent.mkdir(parents=True)
        ours.write_text(KUBECTL, encoding="utf-8")
        ours.chmod(0o755)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        with sshd.serve(land.public, land.account.home, PATH=str(programs)) as server:
            (known / ".ssh/known_hosts").write_text(server.known(), encoding="utf-8")
            yield f"{land.account.name}@127.0.0.1:{server.port}"
        shutil.rmtree(land.account.home / ".cache", ignore_errors=True)

    def test_ours_is_brought_there_once_and_stays(
        self, bare: str, c: Context, provider: Provider, context: BuildContext, said: list[Text]
    ) -> None:
        for times in (1, 2):
            with closing(RemoteHost(c, bare)) as machine:
                there = machine.context(c)
                call = machine.kubectl(True, said.append)
                assert call == ".kubetour/bin/kubectl"
                machine.prepare(provider, machine.placed(context), True, said.append)
                answer = perform(there, Run((call, "version", "--client", "-o", "json")))
                assert json.loads(answer.stdout)["clientVersion"]["gitVersion"] == "v1.36.0", times
                assert not machine.curl()
        assert [text.key for text in said] == ["host.shipping"]

    @pytest.mark.fault("F79")
    def test_without_a_python_there_the_embedded_cluster_is_not_to_be_had(
        self, bare: str, c: Context, context: BuildContext, said: list[Text]
    ) -> None:
        with closing(RemoteHost(c, bare)) as machine:
            machine.context(c)
            placed = machine.placed(context)
            with pytest.raises(ToolError) as caught:
                machine.prepare(make_provider("embedded"), placed, True, said.append)
        assert caught.value.key == "host-environment"
        assert "Python 3.10" in caught.value.evidence  # inv's own words
        assert [text.key for text in said] == ["host.shipping", "host.environment"]

    def test_where_there_is_none_for_its_system_it_says_what_to_do(
        self, bare: str, c: Context, tmp_path: Path
    ) -> None:
        shutil.rmtree(tmp_path / "cache")
        with closing(RemoteHost(c, bare)) as machine:
            machine.context(c)
            with pytest.raises(ToolError) as caught:
                machine.kubectl(True, lambda text: None)
        assert caught.value.key == "host-tool"
        assert "PATH" in caught.value.explain("en")[1]


def test_a_program_that_is_too_old_there_is_passed_over_and_named(
    machine: RemoteHost, c: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.context(c)
    monkeypatch.setattr(programs, "pin", lambda name: replace(pin(name), least=(99, 0)))
    with pytest.raises(ToolError) as caught:
        machine.kubectl(True, lambda text: None)
    assert "too old" in caught.value.evidence


class TestItsCluster:
    """A kubectl on PATH there that shows a kubeconfig, and a web server in the API server's place."""

    @pytest.fixture
    def cluster(
        self, machine: RemoteHost, c: Context, provider: Provider, land: Land, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> Callable[[int], Cluster]:  # fmt: skip
        machine.context(c)
        (land.base / "kubectl").write_text(KUBECTL, encoding="utf-8")
        (land.base / "kubectl").chmod(0o755)
        monkeypatch.setattr(hosts, "ROOT", tmp_path)
        provider = replace(provider, tools=replace(provider.tools, kubectl=str(land.base / "kubectl")))

        def make(port: int) -> Cluster:
            names = {"cluster": provider.context, "user": "u"}
            document = {
                "current-context": provider.context,
                "clusters": [{"name": provider.context, "cluster": {"server": f"http://127.0.0.1:{port}"}}],
                "contexts": [{"name": provider.context, "context": names}],
                "users": [{"name": "u", "user": {"token": "secret"}}],
            }
            (land.account.home / "kubeconfig").write_text(json.dumps(document), encoding="utf-8")
            return Cluster(machine.kubeconfig(provider), provider.context, "default")

        return make

    def test_it_is_read_from_here_and_the_kubeconfig_is_private_and_goes_with_the_tunnel(
        self, cluster: Callable[[int], Cluster], machine: RemoteHost, tmp_path: Path
    ) -> None:
        with serving("good", body=b'{"gitVersion": "v1.36.2"}') as web, cluster(web.server_port) as looking:
            seen = looking.wait(("version",), lambda objects: True, 20)
            assert seen["version"][0]["gitVersion"] == "v1.36.2"
            assert web.asked == ["/version"]
            (made,) = (tmp_path / ".kubetour/hosts").rglob("*.kubeconfig")
            assert stat.S_IMODE(made.stat().st_mode) == 0o600
            machine.close()
        assert not made.exists()

    def test_a_connection_that_is_gone_ends_the_wait_at_once(
        self, cluster: Callable[[int], Cluster], server: Sshd
    ) -> None:
        with serving("503") as web, cluster(web.server_port) as looking:
            killed = threading.Event()

            def tick(objects: object) -> None:
                if web.asked and not killed.is_set():
                    killed.set()
                    server.signal(signal.SIGKILL)

            with pytest.raises(HostError) as caught:
                looking.wait(("pods",), lambda objects: False, 60, tick)
        assert caught.value.key == "host-lost"

    def test_without_a_look_nothing_is_opened(
        self, cluster: Callable[[int], Cluster], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unexpected(*args: object) -> None:
            raise AssertionError("a tunnel was opened")

        monkeypatch.setattr(tunnels.Tunnel, "__init__", unexpected)
        cluster(1).close()


def test_a_tampered_download_is_not_brought_there(
    machine: RemoteHost, c: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine.context(c)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tools, "judge", lambda *args: "will not do")
    with serving("tampered") as web:
        monkeypatch.setenv("KUBETOUR_KUBECTL_URL", web.url)
        with pytest.raises(IntegrityError):
            machine.kubectl(False, lambda text: None)
    assert not list(tmp_path.rglob("kubectl"))


def test_a_pull_secret_is_brought_there_for_the_command_that_names_it(
    machine: RemoteHost, c: Context, provider: Provider, context: BuildContext, tmp_path: Path
) -> None:
    (tmp_path / "pull.json").write_text('{"auths": {}}', encoding="utf-8")
    there = machine.context(c)
    place = machine.brought(str(tmp_path / "pull.json"))
    machine.prepare(provider, machine.placed(context), True, lambda text: None)
    assert perform(there, Run(("cat", place))).stdout == '{"auths": {}}'
