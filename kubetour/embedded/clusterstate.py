"""The clusters on disk: each has a directory, a record of what it is, and a server process.

CLUSTER/cluster.json   what was asked for, and what was chosen: addresses, port, token
CLUSTER/server.json    the server process
CLUSTER/state.db       what the API holds
CLUSTER/pki/           its certificates
CLUSTER/nodes/NODE/    a node's images, containers and logs
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kubetour.embedded import container as containers
from kubetour.embedded.clusterconfig import EVENT_TTL, NODE_MONITOR_GRACE, PROCESSES
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.paths import private_directory, state_root, write_json
from kubetour.embedded.process import ProcessIdentity, identify, is_alive, is_ending

_LONGEST_SOCKET = 100  # bytes of a Unix socket's path; the kernel's limit is 104 (macOS) or 108
_ENDING, _TICK = 5.0, 0.002  # seconds: how long a killed process may take, and between two looks
KUBECONFIG_MARK = "# The kubeconfig of kubetour's embedded cluster"


@dataclass
class ClusterRecord:
    """What is kept of a cluster. `octet` and `port` are chosen at the first start (-1, 0: not yet)."""

    name: str
    nodes: list[dict[str, Any]]  # name, role, labels
    ports: list[dict[str, Any]]  # host_port, container_port, listen_address
    token: str
    octet: int = -1
    port: int = 0
    ignored: list[str] = field(default_factory=list)
    runtime: str = PROCESSES
    node_monitor_grace: float = NODE_MONITOR_GRACE  # seconds
    event_ttl: float = EVENT_TTL  # seconds
    made: bool = False  # its nodes have been ready once: from then on, only `delete cluster` removes it


class ClusterDirectory:
    """One cluster's directory, whether it is there or not."""

    def __init__(self, name: str, root: Path | None = None) -> None:
        self.name = name
        self.root = root or state_root()
        self.path = self.root / "clusters" / name

    def exists(self) -> bool:
        """Return whether there is anything of this cluster."""
        return self.path.is_dir()

    def load(self) -> ClusterRecord:
        """Return the record; EmbeddedError if there is none."""
        try:
            return ClusterRecord(**json.loads((self.path / "cluster.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise EmbeddedError(
                f"there is no embedded cluster {self.name!r} (or its record is damaged: {error}); "
                f"`get clusters` lists them, `create cluster --name {self.name}` makes it"
            ) from error

    def save(self, record: ClusterRecord) -> None:
        """Write the record."""
        write_json(self.path / "cluster.json", asdict(record))

    # --- its server

    def server(self) -> ProcessIdentity | None:
        """Return the server process if it runs. One that was killed is waited for until it holds nothing."""
        try:
            found = ProcessIdentity(**json.loads((self.path / "server.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        deadline = time.monotonic() + _ENDING
        while is_ending(found) and time.monotonic() < deadline:
            time.sleep(_TICK)
        return found if is_alive(found) else None

    def note_server(self, pid: int) -> None:
        """Write down which process is the server."""
        process = identify(pid)
        if process:
            write_json(self.path / "server.json", asdict(process))

    def running(self) -> ClusterRecord:
        """Return the record of a cluster whose server runs; EmbeddedError if it does not."""
        record = self.load()
        if self.server() is None:
            raise EmbeddedError(
                f"the embedded cluster {self.name!r} is not running any more; "
                f"`start cluster --name {self.name}` starts it again with all that is in it, "
                f"`delete cluster` removes it"
            )
        return record

    def is_made(self) -> bool:
        """Return whether it has ever been ready; False, too, where nothing can be read of it."""
        try:
            return self.load().made
        except EmbeddedError:
            return False

    # --- its nodes

    def node(self, name: str) -> Path:
        """Return a node's directory."""
        return self.path / "nodes" / name

    def stopped_mark(self, node: str) -> Path:
        """Return the file that is there while a node is to be stopped."""
        return self.node(node) / "stopped"

    def kubelet_socket(self, node: str) -> Path:
        """Return where a node's kubelet listens: in its directory, if that has a path short enough."""
        path = self.node(node) / "kubelet.sock"
        if len(os.fsencode(path)) <= _LONGEST_SOCKET:
            return path
        return self._short() / _socket_name(node)

    def _short(self) -> Path:
        """Return a directory for sockets: where temporary files are, or /tmp if that has a long path, too."""
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        short = Path(tempfile.gettempdir()) / f"kubetour-{os.getuid()}-{digest}"
        fits = len(os.fsencode(short / _socket_name(""))) <= _LONGEST_SOCKET
        return short if fits else Path("/tmp") / short.name  # noqa: S108  (its owner is looked at)

    def make_socket_directory(self, node: str) -> None:
        """Make the directory of a kubelet's socket; EmbeddedError if it is somebody else's."""
        directory = private_directory(self.kubelet_socket(node).parent)
        if directory.stat().st_uid != os.getuid() or directory.is_symlink():
            raise EmbeddedError(
                f"{directory} belongs to another user; remove it, or set TMPDIR to a place of yours"
            )

    # --- its end

    def end_containers(self) -> None:
        """Kill what is left of the cluster's Pods, whose server is gone."""
        lost = []
        for path in self.path.glob("nodes/*/containers/*/state.json"):
            with suppress(EmbeddedError):
                lost.append(containers.load(path.parent))
        containers.end_leftovers(each for each in lost if each.state != containers.EXITED)

    def remove(self) -> None:
        """Remove all files of the cluster."""
        shutil.rmtree(self._short(), ignore_errors=True)
        shutil.rmtree(self.path, ignore_errors=True)

    # --- how to reach it

    def kubeconfig(self, record: ClusterRecord, namespace: str = "") -> str:
        """Return the kubeconfig, of a namespace ("": the default one): YAML, every value also valid JSON."""
        ca = base64.b64encode((self.path / "pki" / "ca.crt").read_bytes()).decode()
        name = f"embedded-{record.name}"
        return "\n".join(
            [
                f"{KUBECONFIG_MARK} {record.name}",
                "apiVersion: v1",
                "kind: Config",
                "clusters:",
                "- cluster:",
                f"    certificate-authority-data: {ca}",
                f"    server: https://127.0.0.1:{record.port}",
                f"  name: {name}",
                "contexts:",
                "- context:",
                f"    cluster: {name}",
                f"    user: {name}",
                *([f"    namespace: {namespace}"] if namespace else []),
                f"  name: {name}",
                f"current-context: {name}",
                "users:",
                f"- name: {name}",
                "  user:",
                f"    token: {record.token}",
                "",
            ]
        )


def all_clusters(root: Path | None = None) -> list[ClusterDirectory]:
    """Return every cluster there is, by name."""
    base = root or state_root()
    found = sorted((base / "clusters").glob("*/cluster.json"))
    return [ClusterDirectory(path.parent.name, base) for path in found]


def _socket_name(node: str) -> str:
    return f"{hashlib.sha256(node.encode()).hexdigest()[:12]}.sock"
