"""An API server that is there in milliseconds, to be killed: forked from a process that has imported it all.

    python -m tests.embedded.zygote DIRECTORY

Of each line of standard input, the revision to compact to before it serves (0: none), it makes one server
over DIRECTORY/state.db. It prints that server's process ID, then its port, and after its death "ended".
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from kubetour.embedded import certs
from kubetour.embedded.apiserver import APIServer
from kubetour.embedded.bootstrap import bootstrap
from kubetour.embedded.clock import SystemClock
from kubetour.embedded.etcd import Store
from kubetour.embedded.registry import Registry
from tests.embedded.serving import TOKEN


def say(word: object) -> None:
    os.write(1, f"{word}\n".encode())


async def serve(directory: Path, compact: int) -> None:
    store = Store(directory / "state.db")
    store.compact(compact)
    registry = Registry(store, SystemClock())
    issued = certs.ensure(directory / "pki", ("127.0.0.1",), SystemClock().now())
    server = APIServer(registry, token=TOKEN, certs=issued)
    port = await server.start("127.0.0.1", 0)
    bootstrap(registry, service_ip="127.64.128.1", address="127.0.0.1", port=port)
    say(port)
    await asyncio.Event().wait()


def main() -> None:
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if not child:
            say(os.getpid())
            asyncio.run(serve(Path(sys.argv[1]), int(line)))
        os.waitpid(child, 0)
        say("ended")


if __name__ == "__main__":
    main()
