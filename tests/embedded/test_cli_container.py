from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubetour.embedded.cli_container import port_mapping
from kubetour.embedded.containerstore import PortMapping
from kubetour.embedded.errors import EmbeddedError
from tests.embedded.commands import Commands, get, until
from tests.embedded.making import context

SCRIPT = """
trap 'echo bye; exit 3' TERM
echo up $HOSTNAME $HOST:$PORT $A $1
echo oops >&2
while :; do sleep 0.01; done
"""
DOCKERFILE = 'FROM scratch\nWORKDIR /app\nCOPY run.sh ./\nENTRYPOINT ["sh", "run.sh"]\n'


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("images")
    context(root / "app", {"Dockerfile": DOCKERFILE, "run.sh": SCRIPT})
    Commands(root / "state")("build", "-t", "app:1", "app")
    return root / "state"


@pytest.fixture
def run(images: Path, tmp_path: Path) -> Iterator[Commands]:
    shutil.copytree(images, tmp_path / "state")
    commands = Commands(tmp_path / "state")
    yield commands
    for name in commands("ps", "-a", "--format", "{{.Names}}").out.split():
        commands("rm", "-f", name)
    until(lambda: commands.processes() == [])


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def printed(run: Commands, name: str, text: str) -> str:
    def look() -> str:
        out = run("logs", name).out
        return out if text in out else ""

    return str(until(look))


def test_a_container_runs_logs_stops_and_keeps_its_exit_code(run: Commands) -> None:
    identity = run("run", "-d", "--name", "web", "-e", "A=1", "-l", "own=me", "app:1", "arg").out.strip()
    assert len(identity) == 64
    assert printed(run, "web", "up").startswith(f"up {identity[:12]} ")
    assert run("logs", "web").err == "oops\n"
    (found,) = run("inspect", "web").json
    assert found["State"]["Running"] is True
    assert found["Config"]["Labels"] == {"own": "me"}
    assert found["Config"]["Hostname"] == identity[:12]
    assert "A=1" in found["Config"]["Env"]
    assert found["Args"] == ["run.sh", "arg"]
    assert run("ps", "--format", "{{.Names}} {{.State}}").out == "web running\n"
    assert run("stop", "web").out == "web\n"
    assert run("ps", "-q").out == ""
    (found,) = run("inspect", identity[:8]).json
    assert (found["State"]["Status"], found["State"]["ExitCode"]) == ("exited", 3)
    assert run("ps", "-a", "--format", "{{.Status}}").out.startswith("Exited (3) ")
    assert run("logs", "-n", "1", "web").out == "bye\n"
    assert run("rm", "web").out == "web\n"
    assert run.files() == []


def test_rm_leaves_nothing_of_it(run: Commands) -> None:
    run("run", "-d", "--rm", "--name", "web", "app:1")
    run("stop", "-t", "5", "web")
    assert run("ps", "-a", "-q").out == ""
    assert run.files() == []
    assert run("inspect", "web", ok=False).json == []


def test_a_published_port_is_what_the_program_is_told(run: Commands) -> None:
    port = free_port()
    run("run", "-d", "--name", "web", "-p", f"127.0.0.1:{port}:8080", "app:1")
    assert f" 127.0.0.1:{port}\n" in printed(run, "web", "up")
    (found,) = run("inspect", "web").json
    assert found["NetworkSettings"]["Ports"] == {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}
    assert f"127.0.0.1:{port}->8080/tcp" in run("ps").out


@pytest.mark.skipif(not shutil.which("node"), reason="Node is not on PATH")
def test_the_projects_own_app_answers_with_its_host_name(run: Commands) -> None:
    project = Path(__file__).parents[2]
    run("build", "-t", "own:1", project)
    port = free_port()
    identity = run("run", "-d", "--rm", "--name", "own", "-p", f"{port}:8080", "own:1").out
    answer = until(lambda: get(f"http://127.0.0.1:{port}/"))
    assert answer == f"You've hit {identity[:12]}\n"


def test_a_container_without_a_port_has_an_address_of_its_own(run: Commands) -> None:
    for name in ("one", "two"):
        run("run", "-d", "--name", name, "app:1")
    addresses = [
        run("inspect", "-f", "{{.NetworkSettings.IPAddress}}", name).out.strip() for name in ("one", "two")
    ]
    assert all(address.startswith("127.") for address in addresses)
    if sys.platform.startswith("linux"):
        assert len(set(addresses)) == 2


def test_a_program_that_ends_by_itself(run: Commands) -> None:
    run("run", "-d", "--name", "web", "--entrypoint", "sh", "app:1", "-c", "echo done; exit 4")
    until(lambda: "Exited (4)" in run("ps", "-a").out)
    assert run("logs", "-f", "web").out == "done\n"


def test_a_log_is_followed_to_the_end(run: Commands) -> None:
    run("run", "-d", "--name", "web", "--entrypoint", "sh", "app:1", "-c", "echo a; sleep 0.3; echo b")
    assert run("logs", "-f", "web").out == "a\nb\n"


def test_a_container_whose_shim_was_killed_has_ended(run: Commands) -> None:
    run("run", "-d", "--name", "web", "app:1")
    shims = [line for line in run.processes() if " shim " in line]
    os.kill(int(shims[0].split(":")[0]), signal.SIGKILL)
    until(lambda: run("inspect", "-f", "{{.State.Status}}", "web").out == "exited\n")
    assert run("inspect", "-f", "{{.State.ExitCode}}", "web").out == "255\n"


def test_what_goes_wrong_is_told_and_leaves_nothing(run: Commands) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        cases = [
            (("run", "-d", "none"), "ERROR: no such image: none"),
            (("run", "app:1"), "ERROR: run needs -d"),
            (("run", "-d", "--name", "-x", "app:1"), "ERROR: "),
            (("run", "-d", "--name", "a b", "app:1"), "ERROR: invalid container name 'a b'"),
            (("run", "-d", "-e", "A", "app:1"), "ERROR: -e A: give NAME=VALUE"),
            (
                ("run", "-d", "-p", f"{port}:1", "app:1"),
                f"ERROR: Bind for 127.0.0.1:{port} failed: port is already",
            ),
            (("run", "-d", "-p", "x:1", "app:1"), "ERROR: -p x:1: the form is"),
            (("run", "-d", "--entrypoint", "no-such", "app:1"), "ERROR: failed to create containerd task"),
            (("logs", "none"), "ERROR: no such container: none"),
            (("stop", "none"), "ERROR: no such container: none"),
            (("rm", "none"), "ERROR: no such container: none"),
            (("logs", "--tail", "x", "none"), "ERROR: no such container: none"),
        ]
        for argv, message in cases:
            done = run(*argv, ok=False)
            assert done.status in (1, 2), argv
            assert done.err.startswith(message), done.err
            assert "Traceback" not in done.err
    assert run("ps", "-a", "-q").out == ""
    assert run("rm", "-f", "none").status == 0
    assert run.files() == []


def test_a_name_is_given_once(run: Commands) -> None:
    run("run", "-d", "--name", "web", "app:1")
    done = run("run", "-d", "--name", "web", "app:1", ok=False)
    assert done.err.startswith("ERROR: the container name 'web' is in use by ")
    assert (
        run("rm", "web", ok=False).err == "ERROR: the container web is running; stop it first, or use rm -f\n"
    )


def test_the_list_as_json(run: Commands) -> None:
    run("run", "-d", "--name", "web", "app:1")
    row = json.loads(run("ps", "--no-trunc", "--format", "json").out)
    assert (row["Names"], row["Image"], row["State"]) == ("web", "app:1", "running")


@pytest.mark.parametrize(
    ("text", "mapping"),
    [
        ("8080:80", PortMapping("127.0.0.1", 8080, 80)),
        ("127.0.0.1:8080:80", PortMapping("127.0.0.1", 8080, 80)),
        ("localhost:8080:80/tcp", PortMapping("127.0.0.1", 8080, 80)),
        ("0.0.0.0:8080:80", PortMapping("0.0.0.0", 8080, 80)),  # noqa: S104
    ],
)
def test_port_mappings(text: str, mapping: PortMapping) -> None:
    assert port_mapping(text) == mapping


@pytest.mark.parametrize("text", ["80", "127.0.0.1::80"])
def test_without_a_host_port_a_free_one_is_taken(text: str) -> None:
    found = port_mapping(text)
    assert (found.container, found.address) == (80, "127.0.0.1")
    assert 20000 <= found.host < 32768


@pytest.mark.parametrize("text", ["", "x", "1:x", "70000:1", "0:1", "1:2:3:4", "8080:80/udp"])
def test_what_is_no_port_mapping_is_told(text: str) -> None:
    with pytest.raises(EmbeddedError, match="the form is"):
        port_mapping(text)
