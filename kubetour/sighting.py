"""Reading what is there on the host that the commands run on. Everything here only looks.

What an engine has is asked of the engine; processes and ports are what the kernel shows in /proc.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from kubetour.causes import command_failed
from kubetour.inventory import Thing
from kubetour.project import CHECKOUT_VARIABLE, OWNED_BY, OWNER
from kubetour.runner import LOOK, perform, perform_all
from kubetour.script import program, shell
from kubetour.steps import Run

if TYPE_CHECKING:
    from invoke.context import Context

KIND, MINIKUBE = "io.x-k8s.kind.cluster", "name.minikube.sigs.k8s.io"  # labels whose value is the cluster

# Processes that a command of ours has started, directly or not, and those of embedded containers, whose
# environment is their own: those work below the directory of the state.
PROCESSES = """\
cd /proc 2>/dev/null || exit 0
grep -lszxF "$1=$2" [0-9]*/environ
for each in $(grep -lsz '^KUBETOUR_CONTAINER=' [0-9]*/environ); do
  case "$(readlink "${each%environ}cwd")" in "$2"/*) echo "$each" ;; esac
done
:"""
# Those that still run: what has looked for them has ended. And what each has open.
NAMES = """\
for pid; do
  words=$(tr '\\0\\n' '  ' 2>/dev/null <"/proc/$pid/cmdline") || continue
  [ -z "$words" ] || printf '%s %s\\n' "$pid" "$words"
done
:"""
SOCKETS = """\
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null
for pid; do ls -l "/proc/$pid/fd" 2>/dev/null; done
:"""
FILES = """\
for each in "$1"/*.kubeconfig "$1"/image.tar "$1"/.*.json.* "$1"/.*.html.* "$1"/unpack-* "$1"/shipped.tar.gz
do
  [ ! -e "$each" ] || printf '%s\\n' "$each"
done
shift
for each; do
  for directory in "${TMPDIR:-/tmp}" /tmp; do
    [ ! -e "$directory/$each" ] || printf '%s\\n' "$directory/$each"
  done
done | sort -u"""
# One is started for each user, by the first command, and stays on purpose:
# https://github.com/containers/podman/blob/main/rootless.md
PAUSE = re.compile(r"^\S*(catatonit -P|podman pause)\s*$")
_LISTENS = re.compile(
    r"^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A (?:\S+ ){3}\s*\d+\s+\d+\s+(\d+)", re.MULTILINE
)
_CONTAINERS = ("ps", "-a", "-q", "--no-trunc")
_IMAGES = ("images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}}\t{{.ID}}")
_OPEN = re.compile(r"socket:\[(\d+)\]")


def asked(c: Context, *argv: str) -> str:
    """Return what a command prints; KubetourError if it fails: not to know is not a clean slate."""
    (said,) = all_asked(c, argv)
    return said


def all_asked(c: Context, *commands: tuple[str, ...]) -> list[str]:
    """Return what commands print, which run side by side; KubetourError likewise."""
    runs = [Run(argv) for argv in commands]
    results = perform_all(c, runs, timeout=LOOK)
    for run, result in zip(runs, results, strict=True):
        if result.status != 0:
            raise command_failed(shell(run), program(run), result)
    return [result.stdout for result in results]


def containers(c: Context, engine: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the engine's containers: id, name, labels, mounts and ports of each."""
    return _inspected(c, engine, asked(c, *engine, *_CONTAINERS).split())


def _inspected(c: Context, engine: tuple[str, ...], ids: list[str]) -> list[dict[str, Any]]:
    if not ids:
        return []
    # One may end meanwhile: then this fails, and tells of all the others. The whole document, as what a
    # template can name is called otherwise by Podman.
    told = perform(c, Run((*engine, "inspect", "--type", "container", *ids))).stdout
    return [_container(each) for each in (json.loads(told) if told.strip() else ())]


def _container(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": found["Id"],
        "name": found["Name"],
        "labels": (found.get("Config") or {}).get("Labels"),
        "mounts": found.get("Mounts"),
        "ports": (found.get("NetworkSettings") or {}).get("Ports"),
    }


def entry_of(container: dict[str, Any], engine: str) -> str:
    """Return the ledger's entry of a container: its cluster's, or its own if it carries our label."""
    labels = container["labels"] or {}
    for label, provider in ((KIND, "kind"), (MINIKUBE, "minikube")):
        if label in labels:
            return f"{provider}-cluster/{labels[label]}"
    name = container["name"].lstrip("/")
    return f"{engine}-container/{name}" if labels.get(OWNED_BY) == OWNER else ""


def volumes_of(container: dict[str, Any]) -> list[str]:
    """Return the volumes that a container has."""
    return [mount["Name"] for mount in container["mounts"] or () if mount.get("Type") == "volume"]


def ports_of(container: dict[str, Any]) -> set[int]:
    """Return the ports of the host that a container publishes."""
    bound = (each for bindings in (container["ports"] or {}).values() for each in bindings or ())
    return {int(each["HostPort"]) for each in bound if each.get("HostPort")}


def of_engine(
    c: Context, engine: tuple[str, ...], name: str, ledger: Collection[str] | None = None
) -> Iterator[Thing]:
    """Yield the containers, networks, volumes and images of an engine; KubetourError if it does not answer.

    `ledger` tells whose clusters others are: a network that one of those uses is needed. None: nobody asks.
    """
    ids, networks, volumes, listed = all_asked(
        c,
        (*engine, *_CONTAINERS),
        (*engine, "network", "ls", "--format", "{{.ID}}\t{{.Name}}\t{{.Labels}}"),
        (*engine, "volume", "ls", "--format", "{{.Name}}\t{{.Labels}}"),
        (*engine, *_IMAGES),
    )
    others = False
    for each in _inspected(c, engine, ids.split()):
        called, entry = each["name"].lstrip("/"), entry_of(each, name)
        others |= entry.startswith("kind-cluster/") and entry not in (ledger or ())
        yield Thing("container", called, each["id"], entry, remove=_line(*engine, "rm", "-f", "-v", called))
    for identity, called, labels in _rows(networks):
        entry = _cluster_in(labels) or f"{name}-network/{called}"
        remove = _line(*engine, "network", "rm", called)
        yield Thing("network", called, identity, entry, needed=others and called == "kind", remove=remove)
    for called, labels in _rows(volumes):
        entry = _cluster_in(labels) or f"{name}-volume/{called}"
        yield Thing("volume", called, "", entry, remove=_line(*engine, "volume", "rm", called))
    yield from _images(listed, engine, name)


def _images(listed: str, engine: tuple[str, ...], name: str) -> Iterator[Thing]:
    """Yield an engine's images by their names."""
    for called, identity in _rows(listed):
        remove = _line(*engine, "image", "rm", called)
        yield Thing("image", called, identity, f"{name}-image/{called}", remove=remove)


def of_embedded(c: Context, engine: tuple[str, ...]) -> Iterator[Thing]:
    """Yield the embedded clusters, containers and images of this checkout."""
    clusters, running, listed = all_asked(
        c,
        (*engine, "get", "clusters"),
        (*engine, "ps", "-a", "--format", "{{.ID}}\t{{.Names}}"),
        (*engine, *_IMAGES),
    )
    for name in clusters.split():
        remove = _line(*engine, "delete", "cluster", "--name", name)
        yield Thing("cluster", name, "", f"embedded-cluster/{name}", remove=remove)
    for identity, name in _rows(running):
        remove = _line(*engine, "stop", name)
        yield Thing("container", name, identity, f"embedded-container/{name}", remove=remove)
    yield from _images(listed, engine, "embedded")


def processes(c: Context, root: str) -> dict[int, str]:
    """Return the command lines, by process, of what commands of ours have left running; Linux alone tells."""
    found = asked(c, "sh", "-c", PROCESSES, "sh", CHECKOUT_VARIABLE, root)
    pids = sorted({int(line.partition("/")[0]) for line in found.splitlines()})
    if not pids:
        return {}
    lines = asked(c, "sh", "-c", NAMES, "sh", *map(str, pids)).splitlines()
    words = {int(pid): text.strip() for pid, _, text in (line.partition(" ") for line in lines)}
    return {pid: text for pid, text in words.items() if not PAUSE.match(text)}


def sockets(c: Context, ports: Collection[int], pids: Collection[int]) -> set[tuple[int, str]]:
    """Return the sockets, each a port and the kernel's number of it, that listen there or are theirs."""
    text = asked(c, "sh", "-c", SOCKETS, "sh", *map(str, pids))
    theirs = set(_OPEN.findall(text))
    return {(port, inode) for port, inode in listening(text) if port in ports or inode in theirs}


def listening(text: str) -> set[tuple[int, str]]:
    """Return each listening socket of /proc/net/tcp and tcp6 as its port and its inode.

    https://docs.kernel.org/networking/proc_net_tcp.html
    """
    return {(int(port, 16), inode) for port, inode in _LISTENS.findall(text) if inode != "0"}


def contexts(c: Context, kubectl: str, named: dict[str, str]) -> Iterator[Thing]:
    """Yield what the user's own kubeconfig has, which no command of ours ever writes.

    `named` has the ledger's entries by the names that their contexts would have.
    """
    kinds = ("context", "cluster", "user")
    ranges = (f'{{range .{kind}s[*]}}{kind}{{"\\t"}}{{.name}}{{"\\n"}}{{end}}' for kind in kinds)
    for kind, name in _rows(asked(c, kubectl, "config", "view", "-o", f"jsonpath={''.join(ranges)}")):
        remove = _line(kubectl, "config", f"delete-{kind}", name)
        yield Thing("kubeconfig", f"{kind} {name}", "", named.get(name, ""), remove=remove)


def objects(c: Context, kubectl: str, ledger: Collection[str]) -> Iterator[Thing]:
    """Yield the namespaces and secrets of the ledger that clusters of the user's still have."""
    label = "jsonpath={.metadata.labels." + OWNED_BY.replace(".", "\\.") + "}"
    for entry in ledger:
        kind, _, rest = entry.partition("/")
        if kind not in ("namespace", "secret"):
            continue
        inside = rest.rsplit("/", 1 if kind == "namespace" else 2)  # a context's name may have slashes, too
        where = ("--context", inside[0], *(("--namespace", inside[1]) if kind == "secret" else ()))
        told = asked(c, kubectl, *where, "get", kind, inside[-1], "--ignore-not-found", "-o", label)
        if told.strip() == OWNER:
            remove = _line(kubectl, *where, "delete", kind, inside[-1])
            yield Thing(kind, "/".join(inside[1:]), "", entry, remove=remove)


def labelled(c: Context, kubectl: tuple[str, ...], app: str) -> Iterator[Thing]:
    """Yield what an app of ours still has in a namespace that stays."""
    for selector in (f"app={app}", f"run={app}-pod"):
        which = ("-l", f"{OWNED_BY}={OWNER},{selector}", "-o", "name")
        for name in asked(c, *kubectl, "get", "deployments,services,pods", *which).split():
            yield Thing("object", name, ours=True, remove=_line(*kubectl, "delete", name))


def files(c: Context, state: str, ledger: Collection[str]) -> Iterator[Thing]:
    """Yield the files in the directory of the state, and the embedded cluster's in that for temporary ones,
    which no command needs once it has ended.
    """
    clusters = os.environ.get("KUBETOUR_EMBEDDED_ROOT") or f"{state}/embedded"
    embedded = (entry.partition("/")[2] for entry in ledger if entry.startswith("embedded-cluster/"))
    short = (hashlib.sha256(os.fsencode(f"{clusters}/clusters/{name}")).hexdigest()[:16] for name in embedded)
    user = asked(c, "id", "-u").strip()
    told = asked(c, "sh", "-c", FILES, "sh", state, *(f"kubetour-{user}-{digest}" for digest in short))
    for path in told.splitlines():
        yield Thing("file", path, ours=True, remove=_line("rm", "-r", path))


def _cluster_in(labels: str) -> str:
    """Return the ledger's entry of the minikube profile that a listing shows as the owner, or ""."""
    found = re.search(rf"{re.escape(MINIKUBE)}[=:]([a-z0-9-]+)", labels)
    return f"minikube-cluster/{found[1]}" if found else ""


def _rows(text: str) -> Iterator[list[str]]:
    yield from (line.split("\t") for line in text.splitlines() if line.strip())


def _line(*words: str) -> str:
    return shlex.join(words)
