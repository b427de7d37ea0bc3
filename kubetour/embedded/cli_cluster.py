"""kind's commands for clusters, and what runs on their nodes."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from kubetour.embedded import cluster, clusterconfig
from kubetour.embedded.cli_node import cluster_of
from kubetour.embedded.clusterconfig import ClusterConfig
from kubetour.embedded.clusterstate import ClusterDirectory, ClusterRecord, all_clusters
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.imagestore import ImageStore
from kubetour.embedded.units import parse_duration

DEFAULT_NAME = "kind"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _quiet(_: str) -> None:
    return


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def create(arguments: Namespace) -> int:
    """Create a cluster."""
    wait = parse_duration(arguments.wait)
    say = _quiet if arguments.quiet else _say
    kubeconfig = Path(arguments.kubeconfig).absolute() if arguments.kubeconfig else None
    # A half-made cluster is removed on every way out that a program can see.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        config = _config(arguments.config) if arguments.config else ClusterConfig()
        if arguments.nodes is not None:
            config = clusterconfig.with_workers(config, arguments.nodes)
        config = replace(config, runtime=arguments.runtime)
        name = arguments.name or config.name or DEFAULT_NAME
        cluster.create(name, config, wait, kubeconfig, say)
    except EmbeddedError as error:
        raise EmbeddedError(f"failed to create cluster: {error}") from error
    shown = kubeconfig or ClusterDirectory(name).path / "kubeconfig"
    say(f'Set kubectl context to "embedded-{name}"')
    say("You can now use your cluster with:\n")
    context = f"--context embedded-{name} --kubeconfig {shlex.quote(_relative(shown))}"
    say(f"kubectl cluster-info {context}\n")
    what = "only pretend" if config.runtime == clusterconfig.FAKE else "are plain processes of yours"
    say(f"It is an embedded cluster: its containers {what}, and nothing is isolated.")
    return 0


def start(arguments: Namespace) -> int:
    """Start a cluster again."""
    name = arguments.name or DEFAULT_NAME
    clusterconfig.check_name(name)
    kubeconfig = Path(arguments.kubeconfig).absolute() if arguments.kubeconfig else None
    say = _quiet if arguments.quiet else _say
    cluster.start(name, parse_duration(arguments.wait), kubeconfig, say)
    return 0


def _relative(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _config(file: str) -> ClusterConfig:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise EmbeddedError(f"error reading file: open {file}: no such file or directory") from error
    except (OSError, UnicodeDecodeError) as error:
        raise EmbeddedError(f"error reading file: {file}: {error}") from error
    return clusterconfig.parse(text)


def delete(arguments: Namespace) -> int:
    """Delete a cluster."""
    name = arguments.name or DEFAULT_NAME
    clusterconfig.check_name(name)
    kubeconfig = Path(arguments.kubeconfig) if arguments.kubeconfig else None
    cluster.delete(name, kubeconfig, _quiet if arguments.quiet else _say)
    return 0


def get_clusters(_: Namespace) -> int:
    """List the clusters."""
    found = all_clusters()
    if not found:
        _say("No embedded clusters found.")
    for directory in found:
        print(directory.name)
    return 0


def get_nodes(arguments: Namespace) -> int:
    """List a cluster's nodes."""
    name = arguments.name or DEFAULT_NAME
    directory = ClusterDirectory(name)
    if not directory.exists():
        _say(f'No embedded nodes found for cluster "{name}".')
        return 0
    for node in directory.load().nodes:
        print(node["name"])
    return 0


def _found(arguments: Namespace) -> tuple[ClusterDirectory, ClusterRecord]:
    name = arguments.name or DEFAULT_NAME
    directory = ClusterDirectory(name)
    if not directory.exists():
        raise EmbeddedError(
            f"could not locate any control plane nodes for cluster named '{name}'. "
            f"Use the --name option to select a different cluster"
        )
    return directory, directory.running()


def get_kubeconfig(arguments: Namespace) -> int:
    """Print a cluster's kubeconfig."""
    directory, record = _found(arguments)
    print(directory.kubeconfig(record), end="")
    return 0


def export_kubeconfig(arguments: Namespace) -> int:
    """Write a cluster's kubeconfig."""
    directory, record = _found(arguments)
    cluster.write_kubeconfig(directory, record, Path(arguments.kubeconfig).absolute())
    _say(f'Set kubectl context to "embedded-{record.name}"')
    return 0


def _nodes(arguments: Namespace) -> dict[str, ImageStore]:
    """Return the image stores of the nodes that `load` is about."""
    directory = ClusterDirectory(arguments.name or DEFAULT_NAME)
    if not directory.exists():
        raise EmbeddedError(f'no nodes found for cluster "{directory.name}"')
    record = directory.load()
    if record.runtime == clusterconfig.FAKE:
        raise EmbeddedError("the runtime of this cluster is fake: its Pods need no images, so load none")
    names = [node["name"] for node in record.nodes]
    wanted = arguments.nodes.split(",") if arguments.nodes else names
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise EmbeddedError(f'unknown node: "{unknown[0]}"; the cluster has {", ".join(names)}')
    return {name: ImageStore(directory.node(name) / "images") for name in wanted}


def load_image(arguments: Namespace) -> int:
    """Load images of this machine onto nodes."""
    from kubetour.embedded import reference
    from kubetour.embedded.cli_image import store

    here = store()
    images = []
    for name in arguments.images:
        image = here.find(name)
        if image is None:
            raise EmbeddedError(f'image: "{name}" not present locally')
        full = str(reference.parse(name))
        images.append((name, image, (full,) if full in image.names else image.names))
    nodes = _nodes(arguments)
    for name, image, names in images:
        lacking = []
        for node, nodes_store in nodes.items():
            there = nodes_store.find(names[0]) if names else nodes_store.find(image.id)
            if there is None or there.id != image.id:
                lacking.append(node)
        if not lacking:
            _say(f'Image: "{name}" with ID "{image.id}" found to be already present on all nodes.')
        for node in lacking:
            _say(f'Image: "{name}" with ID "{image.id}" not yet present on node "{node}", loading...')
            here.copy_to(nodes[node], image, names)
    return 0


def load_archive(arguments: Namespace) -> int:
    """Load images of an archive onto nodes."""
    from kubetour.embedded import archive

    (first, *others) = _nodes(arguments).values()
    for name in arguments.archives:
        try:
            with open(sys.stdin.fileno() if name == "-" else name, "rb") as file, first.writing():
                loaded = archive.load(file, first)
        except FileNotFoundError as error:
            raise EmbeddedError(f"stat {name}: no such file or directory") from error
        for full in loaded:
            image = first.find(full)
            if image is None:
                raise EmbeddedError(f"{full} was removed while it was being loaded; load it again")
            for other in others:
                first.copy_to(other, image, (full,))
    return 0


def execute(arguments: Namespace) -> int:
    """Run a command on a node: crictl asks its container runtime, anything else runs on this machine."""
    argv = arguments.argv[1:] if arguments.argv[:1] == ["--"] else arguments.argv
    if not argv:
        raise EmbeddedError("exec needs a command: exec NODE -- COMMAND [ARG...]")
    node = arguments.node
    directory = cluster_of(node)
    if directory.stopped_mark(node).exists():
        raise EmbeddedError(f"{node} is not running; `start node {node}` starts it")
    if argv[0] == "crictl":
        from kubetour.embedded import crictl

        return crictl.main(argv[1:], directory.node(node))
    from kubetour.embedded import node_programs

    environment = node_programs.environment(directory, node)
    try:
        os.execvpe(argv[0], argv, environment)  # noqa: S606 (an argument list, as everywhere)
    except OSError as error:
        _say(f'ERROR: exec: "{argv[0]}": {error.strerror}; a node is this machine: install it here')
        return 127 if isinstance(error, FileNotFoundError) else 126


def serve(arguments: Namespace) -> int:
    """Be a cluster's server process."""
    from kubetour.embedded import serving

    return serving.main(arguments.name, arguments.report, arguments.lifeline)
