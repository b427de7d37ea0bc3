"""Which TCP sockets listen, as the kernel tells it: sock_diag(7), asked for those alone.

The files in /proc list every connection, also those that are closing: tens of thousands on a busy machine.
"""

from __future__ import annotations

import os
import socket
import struct

_SOCK_DIAG = 4  # NETLINK_SOCK_DIAG
_BY_FAMILY = 20  # SOCK_DIAG_BY_FAMILY
_DUMP_REQUEST = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_ERROR, _DONE = 2, 3  # NLMSG_ERROR, NLMSG_DONE
_LISTEN = 1 << 10  # TCP_LISTEN, as a set of states
_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_REQUEST = struct.Struct("=BBBxI48x")  # inet_diag_req_v2: family, protocol, extensions, states, no socket
_SOCKET = struct.Struct("!H2x16s")  # inet_diag_sockid, to the source's address
_SOCKET_OFFSET = 4  # of it in inet_diag_msg, behind family, state, timer and retransmissions
_PATIENCE = 1.0  # seconds; a kernel answers at once, but a sandbox may swallow the question
_LONGEST = 64 * 1024  # more than the kernel puts into one message

Endpoint = tuple[bytes, int]


def listening() -> frozenset[Endpoint]:
    """Return address (4 or 16 bytes) and port of each listening socket; OSError where it is not told.

    What is seen is this process's network namespace. No privileges are needed.
    """
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    with socket.socket(socket.AF_NETLINK, kind, _SOCK_DIAG) as kernel:
        kernel.settimeout(_PATIENCE)
        found = _ask(kernel, socket.AF_INET, 4)
        try:
            return found | _ask(kernel, socket.AF_INET6, 16)
        except FileNotFoundError:  # a kernel without IPv6
            return found


def _ask(kernel: socket.socket, family: int, size: int) -> frozenset[Endpoint]:
    request = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, _LISTEN)
    kernel.send(_HEADER.pack(_HEADER.size + len(request), _BY_FAMILY, _DUMP_REQUEST, 1, 0) + request)
    found: list[Endpoint] = []
    while True:
        data, offset = kernel.recv(_LONGEST), 0
        while offset < len(data):
            length, kind, *_ = _HEADER.unpack_from(data, offset)
            body = offset + _HEADER.size
            if kind == _DONE:
                return frozenset(found)
            if kind == _ERROR:
                (number,) = struct.unpack_from("=i", data, body)
                raise OSError(-number, os.strerror(-number))
            port, address = _SOCKET.unpack_from(data, body + _SOCKET_OFFSET)
            found.append((address[:size], port))
            offset += (length + 3) & ~3
