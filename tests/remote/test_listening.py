"""Ports that something listens on, from what Linux and netstat print."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from kubetour.remote.listening import ASK, listening

LINUX = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 16337 1 0000 100
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 16338 1 0000 100
   2: 0100007F:ABCD 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 16339 1 0000 100
  10: 0100007F:7532 0100007F:ABCD 06 00000000:00000000 00:00000000 00000000     0        0 0 3 0000
  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:0
"""
BSD = """\
Active Internet connections (including servers)
Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)
tcp4       0      0  192.168.1.4.52711      17.57.146.20.5223      ESTABLISHED
tcp4       0      0  127.0.0.1.8080         *.*                    LISTEN
tcp6       0      0  *.22                   *.*                    LISTEN
udp4       0      0  *.5353                 *.*
"""
OTHER = "tcp        0      0 0.0.0.0:6443            0.0.0.0:*               LISTEN\n"


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        (LINUX, {8080, 22, 80}),
        (BSD, {8080, 22}),
        (OTHER, {6443}),
        ("", set()),
        ("sh: netstat: not found", set()),
    ],
    ids=["Linux", "BSD", "GNU netstat", "nothing", "no such program"],
)
def test_only_what_is_listened_on_counts(text: str, ports: set[int]) -> None:
    assert listening(text) == ports


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_this_machines_own_listing_is_understood() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as mine,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as six,
    ):
        argv = [part for part in ASK.argv if isinstance(part, str)]
        text = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        assert {mine.getsockname()[1], six.getsockname()[1]} <= listening(text)
