"""A whole embedded cluster, made by its commands, with the image of the recordings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.embedded.commands import Commands
from tests.embedded.making import context

# As in the recording, it does not handle SIGTERM and listens on its port.
APP = """
const { HOST, PORT, HOSTNAME } = process.env;
process.on("SIGTERM", () => {});
const server = require("http").createServer((_, response) => response.end(HOSTNAME));
server.listen(PORT, HOST, () => console.log("listening"));
"""
DOCKERFILE = 'FROM node:24\nWORKDIR /app\nCOPY app.js ./\nEXPOSE 8080\nENTRYPOINT ["node", "app.js"]\n'


@contextmanager
def cluster(directory: Path) -> Iterator[Path]:
    """Run a cluster until the block ends, and yield its kubeconfig; nothing of it may be left then."""
    run = Commands(directory / "state")
    kubeconfig = directory / "kubeconfig"
    context(directory / "app", {"Dockerfile": DOCKERFILE, "app.js": APP})
    run("build", "-t", "node-hostname:1.0", "app")
    run("create", "cluster", "--name", "kind", "--kubeconfig", kubeconfig)
    try:
        run("load", "image", "node-hostname:1.0", "--name", "kind")
        yield kubeconfig
    finally:
        run("delete", "cluster", "--name", "kind", "--kubeconfig", kubeconfig)
    assert run.processes() == []
