"""Making and deleting clusters: the server process, and what a failed start must not leave."""

from __future__ import annotations

import os
import secrets
import select
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from kubetour.embedded import clusterconfig
from kubetour.embedded.clusterconfig import ClusterConfig
from kubetour.embedded.clusterstate import KUBECONFIG_MARK, ClusterDirectory, ClusterRecord
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.paths import locked, private_directory, write_atomically
from kubetour.embedded.process import ProcessIdentity, is_alive, start_detached

Say = Callable[[str], None]
READY, API = "ready", "api"
_TICK = 0.02
_STOP_PATIENCE = 15.0  # seconds a server has to end its Pods and itself
_SHORTEST_WAIT = 10.0  # seconds for the server to come up, however little time the nodes are given


def create(
    name: str,
    config: ClusterConfig,
    wait: float,
    kubeconfig: Path | None,
    say: Say,
    *,
    root: Path | None = None,
    lifeline: int | None = None,
) -> ClusterRecord:
    """Create a cluster and write its kubeconfig. On any failure, and when interrupted, nothing is left.

    `root` is the state directory, if not the usual one. `lifeline` is the reading end of a pipe: when all of
    its writing ends are closed, the cluster ends and removes itself.
    """
    clusterconfig.check_name(name)
    directory = ClusterDirectory(name, root)
    private_directory(directory.path.parent)
    target = kubeconfig or directory.path / "kubeconfig"
    with locked(directory.path.parent / ".lock"):
        if directory.exists():
            if directory.server() is not None:
                raise EmbeddedError(
                    f"node(s) already exist for a cluster with the name "
                    f"{_quoted(name)}; use it, delete it first, or choose another name with --name"
                )
            if directory.is_made():
                raise EmbeddedError(
                    f"node(s) already exist for a cluster with the name {_quoted(name)}, which is not "
                    f"running; `start cluster --name {name}` starts it again, `delete cluster` removes it"
                )
            # It was killed, or the machine was, before it was ready: what that left is no cluster.
            directory.end_containers()
            directory.remove()
        check_kubeconfig(target)
        names = clusterconfig.node_names(name, config.nodes)
        record = ClusterRecord(
            name=name,
            nodes=[
                {"name": node, "role": spec.role, "labels": dict(spec.labels)}
                for node, spec in zip(names, config.nodes, strict=True)
            ],
            ports=[asdict(port) for spec in config.nodes for port in spec.ports],
            token=secrets.token_hex(32),
            ignored=list(config.ignored),
            runtime=config.runtime,
            node_monitor_grace=config.node_monitor_grace,
            event_ttl=config.event_ttl,
        )
        say(f"Creating cluster {_quoted(name)} ...")
        if record.ignored:
            say(f" ! Not used by an embedded cluster: {', '.join(record.ignored)}")
        try:
            private_directory(directory.path)
            directory.save(record)
            _start(directory, wait, say, lifeline)
            record = directory.load()
            write_kubeconfig(directory, record, target)
        except BaseException as error:
            stop(directory)
            directory.remove()
            if isinstance(error, EmbeddedError):
                say(f"Deleted nodes: {_listed(names)}")
            raise
    return record


def start(name: str, wait: float, kubeconfig: Path | None, say: Say) -> ClusterRecord:
    """Start a cluster whose server has ended, with all that was in it; one that runs is left as it is.

    Its kubeconfig is written again if asked for. EmbeddedError if there is none, or if it does not come up;
    then nothing of it is lost.
    """
    directory = ClusterDirectory(name)
    private_directory(directory.path.parent)
    with locked(directory.path.parent / ".lock"):
        directory.load()
        if directory.server() is None:
            say(f"Starting cluster {_quoted(name)} ...")
            directory.end_containers()  # what a killed server could not end
            try:
                _start(directory, wait, say)
            except BaseException:
                stop(directory)
                raise
        record = directory.load()
        if kubeconfig:
            write_kubeconfig(directory, record, kubeconfig)
    return record


def _quoted(name: str) -> str:
    return f'"{name}"'


def _listed(names: list[str]) -> str:
    return f"[{' '.join(map(_quoted, names))}]"


class _Stage:
    """A line of progress, begun and ended as kind's are."""

    def __init__(self, say: Say, text: str) -> None:
        self._say, self._text = say, text
        say(f" • {text} ...")

    def end(self, ok: bool) -> None:
        """Say how it ended."""
        self._say(f" {'✓' if ok else '✗'} {self._text}")


def _start(directory: ClusterDirectory, wait: float, say: Say, lifeline: int | None = None) -> None:
    """Start the server and wait until it says that its nodes are ready; EmbeddedError if it does not."""
    began = time.monotonic()
    deadline = began + max(wait, _SHORTEST_WAIT)
    reading, writing = os.pipe()
    log = directory.path / "server.log"
    argv = [
        sys.executable,
        "-m",
        "kubetour.embedded",
        "serve",
        "--name",
        directory.name,
        "--report",
        str(writing),
    ]
    passed = [writing]
    if lifeline is not None:
        argv += ["--lifeline", str(lifeline)]
        passed.append(lifeline)
    with open(reading, "rb", buffering=0) as report:
        try:
            log.touch(mode=0o600)
            with log.open("ab") as output:
                pid = start_detached(argv, output, pass_fds=passed, root=directory.root)
        finally:
            os.close(writing)
        directory.note_server(pid)
        stage = _Stage(say, "Starting control-plane 🕹️ ")
        said = b""
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([report], [], [], left)[0]:
                stage.end(False)
                raise EmbeddedError(f"the nodes were not ready after {wait:g}s; {_tail(log)}")
            chunk = report.read(65536)
            said += chunk
            *lines, said = said.split(b"\n")
            for line in lines:
                text = line.decode()
                stage.end(text in (READY, API))
                if text == READY:
                    say(f" • Ready after {time.monotonic() - began:.1f}s 💚")
                    return
                if text != API:
                    raise EmbeddedError(text)
                stage = _Stage(say, "Preparing nodes 📦 ")
            if not chunk:
                stage.end(False)
                raise EmbeddedError(f"the cluster's process ended; {_tail(log)}")


def _tail(log: Path) -> str:
    try:
        text = log.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        text = ""
    return f"its log says:\n{text[-2000:]}" if text else "its log is empty"


def stop(directory: ClusterDirectory) -> None:
    """End a cluster's server, and what of its Pods may be left; none running is fine."""
    server = directory.server()
    if server is not None:
        end_process(server, _STOP_PATIENCE)
    directory.end_containers()


def end_process(process: ProcessIdentity, patience: float) -> None:
    """Ask a process to end, and kill it when it does not in time."""
    deadline = time.monotonic() + patience
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            if is_alive(process):
                os.kill(process.pid, number)
        except ProcessLookupError:
            return
        while is_alive(process) and (number == signal.SIGKILL or time.monotonic() < deadline):
            _reap(process.pid)
            time.sleep(_TICK)


def _reap(pid: int) -> None:
    """Take note of a child's end, where it is our own child."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def delete(name: str, kubeconfig: Path | None, say: Say, *, root: Path | None = None) -> None:
    """Delete a cluster, whatever state it is in. That there is none is no error."""
    say(f"Deleting cluster {_quoted(name)} ...")
    directory = ClusterDirectory(name, root)
    if directory.exists():
        with locked(directory.path.parent / ".lock"):
            try:
                nodes = [node["name"] for node in directory.load().nodes]
            except EmbeddedError:
                nodes = []
            stop(directory)
            directory.remove()
        say(f"Deleted nodes: {_listed(nodes)}")
    if kubeconfig and _mark(kubeconfig) == f"{KUBECONFIG_MARK} {name}":
        kubeconfig.unlink(missing_ok=True)


def _mark(kubeconfig: Path) -> str:
    try:
        with kubeconfig.open(encoding="utf-8") as file:
            return file.readline().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def check_kubeconfig(path: Path) -> None:
    """Raise EmbeddedError if a file is there that is not the kubeconfig of an embedded cluster."""
    if path.exists() and path.stat().st_size and not _mark(path).startswith(KUBECONFIG_MARK):
        raise EmbeddedError(
            f"{path} holds another configuration, which would be lost: nothing is merged; "
            f"name a file of the cluster's own with --kubeconfig"
        )


def write_kubeconfig(directory: ClusterDirectory, record: ClusterRecord, path: Path) -> None:
    """Write a cluster's kubeconfig, readable for its owner alone."""
    check_kubeconfig(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, directory.kubeconfig(record))
