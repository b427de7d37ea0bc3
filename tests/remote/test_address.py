"""What may be typed after --host, and what it means."""

from __future__ import annotations

import shlex

import pytest

from kubetour.remote.address import Address, parse
from kubetour.rules import host


@pytest.mark.parametrize(
    ("text", "address", "ssh"),
    [
        ("server", Address("server"), "ssh server true"),
        ("me@server", Address("server", "me"), "ssh me@server true"),
        (
            "me@server.example:2222",
            Address("server.example", "me", 2222),
            "ssh -p 2222 me@server.example true",
        ),
        ("10.0.0.7:22", Address("10.0.0.7", None, 22), "ssh -p 22 10.0.0.7 true"),
        ("my_alias", Address("my_alias"), "ssh my_alias true"),
        ("[::1]", Address("::1"), "ssh ::1 true"),
        ("root@[fe80::1]:2222", Address("fe80::1", "root", 2222), "ssh -p 2222 root@fe80::1 true"),
    ],
)
def test_a_host_is_read_and_written_as_it_is_typed(text: str, address: Address, ssh: str) -> None:
    assert host().apply(text) == text
    assert parse(text) == address
    assert str(address) == text
    assert shlex.split(address.ssh() + " true") == ssh.split()


@pytest.mark.parametrize(
    "text",
    [
        "-oProxyCommand=touch pwned",
        "me@-server",
        "server; touch pwned",
        "$(touch pwned)",
        "me@server:0",
        "me@server:65536",
        "me@server:port",
        "me@",
        "@server",
        "a@b@c",
        "::1",
        "[::1",
        "[not an address]",
        "[:::]",
        "server\n",
        "ser ver",
        "服务器",
        "s" * 400,
    ],
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        host().apply(text)


def test_nothing_is_this_machine() -> None:
    assert host().apply("") == ""
