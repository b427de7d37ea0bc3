"""Getting in, against a real sshd: whose key is believed, and what is said when it does not work."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fabric import Connection
from invoke.context import Context

from kubetour.errors import HostError, KubetourError, RefusedError, UsageError
from kubetour.remote import connection as connections
from kubetour.remote.connection import connection
from kubetour.runner import perform
from kubetour.steps import Run
from kubetour.text import LANGUAGES
from tests.remote import sshd
from tests.remote.conftest import Land
from tests.remote.sshd import Sshd
from tests.serving import serving


def told(host: str) -> KubetourError:
    """Return the error of an attempt to get in; nothing of the attempt may be left open."""
    with closing(connection(host)) as c, pytest.raises(KubetourError) as caught:
        c.open()
    assert not c.is_connected
    for language in LANGUAGES:
        assert all(caught.value.explain(language))
    return caught.value


def whoami(host: str) -> str:
    with closing(connection(host)) as c:
        return perform(c, Run(("whoami",))).stdout.strip()


def test_a_known_host_lets_us_in(known: Path, host: str, land: Land) -> None:
    assert whoami(host) == land.account.name


def test_an_unknown_host_is_refused_with_the_line_that_asks(home: Path, host: str, server: Sshd) -> None:
    error = told(host)
    assert isinstance(error, RefusedError)
    assert error.key == "host-unknown"
    cause, fix = error.explain("en")
    shown = subprocess.run(
        ["ssh-keygen", "-lf", server.directory / "host_key.pub"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.split()[1] in cause
    user = host.partition("@")[0]
    assert fix.endswith(f"ssh -p {server.port} {user}@127.0.0.1 true")
    assert os.listdir(home / ".ssh") == ["id_ed25519"]  # nothing was added


def test_after_the_line_was_typed_and_answered_it_lets_us_in(home: Path, host: str, land: Land) -> None:
    """ssh finds no terminal here to ask at: accept-new is the answer yes. Its home is the password file's."""
    _, fix = told(host).explain("en")
    ssh, *rest = shlex.split(fix[fix.index("ssh -p") :])
    hosts = land.base / "hosts"
    options = ("StrictHostKeyChecking=accept-new", f"UserKnownHostsFile={hosts}", f"IdentityFile={land.key}")
    argv = [ssh, "-F", "none", *(word for option in options for word in ("-o", option)), *rest]
    subprocess.run(argv, check=True, capture_output=True, timeout=60)
    hosts.rename(home / ".ssh/known_hosts")
    assert whoami(host) == land.account.name


@pytest.mark.fault("F78")
def test_a_changed_key_is_refused_with_the_line_that_forgets_the_old_one(
    home: Path, host: str, server: Sshd, land: Land, tmp_path: Path
) -> None:
    other = sshd.keygen(tmp_path / "other").split()
    hosts = home / ".ssh/known_hosts"
    hosts.write_text(f"[127.0.0.1]:{server.port} {other[0]} {other[1]}\n", encoding="utf-8")
    before = hosts.read_bytes()
    error = told(host)
    assert isinstance(error, RefusedError)
    assert error.key == "host-changed"
    assert f"ssh-keygen -R '[127.0.0.1]:{server.port}'" in error.explain("en")[1]
    assert hosts.read_bytes() == before


def test_a_key_of_another_type_than_the_known_one_is_no_way_around(
    home: Path, host: str, server: Sshd, tmp_path: Path
) -> None:
    other = sshd.keygen(tmp_path / "other", "ecdsa").split()
    (home / ".ssh/known_hosts").write_text(
        f"[127.0.0.1]:{server.port} {other[0]} {other[1]}\n", encoding="utf-8"
    )
    assert isinstance(told(host), RefusedError)


@pytest.mark.fault("F78")
def test_a_key_that_the_host_does_not_know_is_named(known: Path, host: str) -> None:
    (known / ".ssh/id_ed25519").unlink()
    sshd.keygen(known / ".ssh/id_ed25519")
    error = told(host)
    assert isinstance(error, HostError)
    assert (error.key, error.exit_status) == ("host-auth", 5)
    cause, fix = error.explain("en")
    assert str(known / ".ssh/id_ed25519") in cause
    assert "ssh-copy-id" in fix


def test_without_any_key_it_says_so(known: Path, host: str) -> None:
    (known / ".ssh/id_ed25519").unlink()
    assert told(host).key == "host-auth"


def test_a_key_with_a_passphrase_asks_nobody(known: Path, host: str) -> None:
    key = known / ".ssh/id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", key], check=True, timeout=60)
    assert told(host).key == "host-auth"


@pytest.fixture
def agent(land: Land) -> Iterator[str]:
    """Yield the socket of an agent that has the key."""
    said = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    found = dict(re.findall(r"(SSH_\w+)=([^;]+);", said))
    subprocess.run(["ssh-add", "-q", land.key], env={**os.environ, **found}, check=True, timeout=60)
    yield found["SSH_AUTH_SOCK"]
    os.kill(int(found["SSH_AGENT_PID"]), signal.SIGTERM)


def test_the_agents_key_lets_us_in(
    known: Path, host: str, agent: str, land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    (known / ".ssh/id_ed25519").unlink()
    monkeypatch.setenv("SSH_AUTH_SOCK", agent)
    assert whoami(host) == land.account.name


def test_the_agent_is_not_forwarded_even_if_the_ssh_configuration_says_so(
    known: Path, host: str, agent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", agent)
    (known / ".ssh/config").write_text("Host *\n ForwardAgent yes\n", encoding="utf-8")
    with closing(connection(host)) as c:
        assert perform(c, Run(("printenv", "SSH_AUTH_SOCK"))).status == 1


def test_an_alias_of_the_ssh_configuration_says_everything(known: Path, server: Sshd, land: Land) -> None:
    (known / ".ssh/id_ed25519").rename(known / ".ssh/another")
    (known / ".ssh/known_hosts").rename(known / ".ssh/hosts")
    (known / ".ssh/config").write_text(
        f"Host big-box\n HostName 127.0.0.1\n Port {server.port}\n User {land.account.name}\n"
        f" IdentityFile ~/.ssh/another\n UserKnownHostsFile ~/.ssh/hosts\n",
        encoding="utf-8",
    )
    assert whoami("big-box") == land.account.name
    (known / ".ssh/hosts").unlink()
    assert told("big-box").explain("en")[1].endswith("ssh big-box true")


@pytest.mark.parametrize(
    "text", ["server", "me@server", "server:2222", "me@server.example:2222", "box", "me@box", "box:22"]
)
def test_a_host_of_fabs_command_line_is_named_as_ours_would_be(home: Path, text: str) -> None:
    (home / ".ssh/config").write_text(
        "Host box\n HostName 10.0.0.7\n Port 2200\n User you\n", encoding="utf-8"
    )
    assert connections.host_of(Connection(text)) == text


def test_an_ipv6_address_of_fabs_command_line_gets_its_brackets(home: Path) -> None:
    assert connections.host_of(Connection("me@::1")) == "me@[::1]"
    assert connections.host_of(Context()) == ""


def test_a_broken_ssh_configuration_is_told(home: Path) -> None:
    (home / ".ssh/config").write_text("Host box\n Port two\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        connection("box")
    assert caught.value.key == "host-config"


@pytest.mark.fault("F77")
def test_nothing_listens(home: Path) -> None:
    error = told(f"root@127.0.0.1:{sshd.free_port()}")
    assert (error.key, error.exit_status) == ("host-unreachable", 5)
    assert "refused" in error.explain("en")[0]


@pytest.mark.fault("F77")
def test_no_such_name(home: Path) -> None:
    assert told("no-such-host.invalid").key == "host-unreachable"


@pytest.mark.fault("F77")
def test_a_host_that_accepts_and_says_nothing_does_not_hang_us(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CONNECT", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert told(f"127.0.0.1:{silent.getsockname()[1]}").key == "host-unreachable"


def test_what_is_no_ssh_server_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "CONNECT", 1)
    with serving("page") as web:
        assert told(f"127.0.0.1:{web.server_port}").key == "host-unreachable"


RELAY = """
import os, socket, sys, threading
s = socket.create_connection(sys.argv[1:3])
def up():
    while data := os.read(0, 65536):
        s.sendall(data)
threading.Thread(target=up, daemon=True).start()
while data := s.recv(65536):
    os.write(1, data)
"""


class TestThroughAProgram:
    @pytest.fixture
    def relay(self, known: Path, server: Sshd) -> Path:
        """Return a home whose ssh configuration names a program that leads to the server."""
        (known / "relay.py").write_text(RELAY, encoding="utf-8")
        command = f'{sys.executable} "{known}/relay.py" 127.0.0.1 {server.port}'
        (known / ".ssh/config").write_text(f"Host far\n ProxyCommand {command}\n", encoding="utf-8")
        hosts = server.known().replace(f"[127.0.0.1]:{server.port}", "far")
        (known / ".ssh/known_hosts").write_text(hosts, encoding="utf-8")
        return known

    def test_that_leads_there(self, relay: Path, land: Land) -> None:
        assert whoami(f"{land.account.name}@far") == land.account.name

    def test_that_ends_at_once(self, relay: Path) -> None:
        (relay / "relay.py").write_text("", encoding="utf-8")
        assert told("far").key == "host-unreachable"

    def test_that_is_not_there(self, relay: Path) -> None:
        (relay / ".ssh/config").write_text("Host far\n ProxyCommand no-such-program %h\n", encoding="utf-8")
        assert told("far").key == "host-unreachable"

    def test_whose_end_ends_the_connection(self, relay: Path, land: Land) -> None:
        with closing(connection(f"{land.account.name}@far")) as c:
            c.open()
            assert c.proxy
            c.proxy.kill()
            with pytest.raises(HostError) as caught:
                perform(c, Run(("sleep", "60")))
        assert caught.value.key == "host-lost"


class TestThroughAnotherHost:
    @pytest.fixture
    def gateway(self, land: Land) -> Iterator[Sshd]:
        """Yield a second server, through which the first is reached."""
        with sshd.serve(land.public, land.account.home) as running:
            yield running

    @pytest.fixture
    def jumping(self, known: Path, gateway: Sshd, land: Land) -> Path:
        """Return a home whose ssh configuration jumps."""
        jump = f"{land.account.name}@127.0.0.1:{gateway.port}"
        (known / ".ssh/config").write_text(
            f"Host inner\n HostName localhost\n ProxyJump {jump}\n", encoding="utf-8"
        )
        return known

    def inner(self, server: Sshd, land: Land) -> str:
        return f"{land.account.name}@inner:{server.port}"

    def name(self, server: Sshd) -> str:
        return server.known().replace("127.0.0.1", "localhost")

    def test_both_keys_known(self, jumping: Path, gateway: Sshd, server: Sshd, land: Land) -> None:
        (jumping / ".ssh/known_hosts").write_text(gateway.known() + self.name(server), encoding="utf-8")
        assert whoami(self.inner(server, land)) == land.account.name

    def test_the_gateways_key_is_checked(
        self, jumping: Path, gateway: Sshd, server: Sshd, land: Land
    ) -> None:
        (jumping / ".ssh/known_hosts").write_text(self.name(server), encoding="utf-8")
        error = told(self.inner(server, land))
        assert error.key == "host-unknown"
        assert str(gateway.port) in error.explain("en")[0]

    def test_the_inner_hosts_key_is_checked_too(
        self, jumping: Path, gateway: Sshd, server: Sshd, land: Land
    ) -> None:
        (jumping / ".ssh/known_hosts").write_text(gateway.known(), encoding="utf-8")
        error = told(self.inner(server, land))
        assert error.key == "host-unknown"
        assert str(server.port) in error.explain("en")[0]
