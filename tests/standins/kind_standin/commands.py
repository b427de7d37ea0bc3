"""The commands of kind that this stand-in knows, and `main`."""

from __future__ import annotations

from collections.abc import Callable

from kind_standin import actions, cli, docker
from kind_standin.cli import Command, Flag
from kind_standin.errors import KindError, quote
from kind_standin.status import Log

STAND_IN = "This is kubetour's stand-in for kind, for its tests only."


def main(argv: list[str]) -> int:
    """Run one command and return its exit status."""
    log = Log(quiet=any(word in ("-q", "--quiet", "--quiet=true") for word in argv))
    for line in docker.warnings():
        log(line)
    try:
        return _run(cli.parse(ROOT, argv), log)
    except KindError as error:
        log(f"ERROR: {error.message}")
        if error.output:
            log(f"\nCommand Output: {error.output.rstrip()}")
        return 1


def _run(parsed: cli.Parsed, log: Log) -> int:
    command, values = parsed.path[-1], parsed.values
    if values.get("version"):
        print(f"kind version {actions.VERSION}")
        return 0
    if values.get("help"):
        print(cli.help_text(parsed.path), end="")
        return 0
    if len(parsed.path) == 1 and parsed.arguments:
        raise KindError(f'unknown command {quote(parsed.arguments[0])} for "kind"')
    if command.action is None:
        print(cli.help_text(parsed.path), end="")
        if len(parsed.path) == 1:
            return 0
        raise KindError("Subcommand is required")
    if command.arguments:
        command.arguments(parsed.arguments, parsed.words)
    values["log"] = log
    return command.action(values, parsed.arguments)


def _none(arguments: list[str], words: str) -> None:
    if arguments:
        raise KindError(f"unknown command {quote(arguments[0])} for {quote(words)}")


def _at_most_one(arguments: list[str], _: str) -> None:
    if len(arguments) > 1:
        raise KindError(f"accepts at most 1 arg(s), received {len(arguments)}")


def _some(message: str) -> Callable[[list[str], str], None]:
    def check(arguments: list[str], _: str) -> None:
        if not arguments:
            raise KindError(message)

    return check


CONTEXT_NAME = Flag("name", "string", "the cluster context name", "n", "kind")
KUBECONFIG = Flag("kubeconfig", "string", "sets kubeconfig path instead of $KUBECONFIG or $HOME/.kube/config")
INTERNAL = Flag("internal", "bool", "use internal address instead of external")
ON_NODES = Flag("nodes", "strings", "comma separated list of nodes to load images into")
IDEMPOTENT = """Deletes {} from the system.

This is an idempotent operation, meaning it may be called multiple times without
failing (like "rm -f"). If the cluster resources exist they will be deleted, and
if the cluster is already gone it will just return success.

Errors will only occur if the cluster resources exist and are not able to be deleted.
"""
WAIT = (
    "The length of time to wait for control plane node to be ready (default 0s). "
    "Non-zero values should contain a corresponding time unit (e.g. 1s, 2m, 3h)."
)
ALL_CLUSTERS = (
    "If present, list all the available nodes across all cluster contexts. "
    "Current context is ignored even if specified with --name."
)
CLUSTER_NAME = "cluster name, overrides KIND_CLUSTER_NAME, config (default kind)"


def _group(name: str, short: str, long: str, *commands: Command) -> Command:
    return Command(name, short, long, commands=commands)


CREATE = Command(
    "cluster",
    "Creates a local Kubernetes cluster",
    "Creates a local Kubernetes cluster using Docker container 'nodes'",
    (
        Flag("name", "string", CLUSTER_NAME, "n"),
        Flag("config", "string", "path to a kind config file"),
        Flag("image", "string", "node docker image to use for booting the cluster"),
        Flag("retain", "bool", "retain nodes for debugging when cluster creation fails"),
        Flag("wait", "duration", WAIT),
        KUBECONFIG,
    ),
    action=actions.create_cluster,
    arguments=_none,
)
DELETE = (
    Command(
        "cluster",
        "Deletes a cluster",
        IDEMPOTENT.format("a Kind cluster"),
        (Flag("name", "string", "the cluster name", "n", "kind"), KUBECONFIG),
        action=actions.delete_cluster,
        arguments=_none,
    ),
    Command(
        "clusters",
        "Deletes one or more clusters",
        IDEMPOTENT.format("one or more Kind clusters"),
        (Flag("all", "bool", "delete all clusters", "A"), KUBECONFIG),
        action=actions.delete_clusters,
    ),
)
LOGS = Command(
    "logs [output-dir]",
    "Exports logs to a tempdir or [output-dir] if specified",
    "Exports logs to a tempdir or [output-dir] if specified",
    (CONTEXT_NAME,),
    action=actions.export_logs,
    arguments=_at_most_one,
)
EXPORT_KUBECONFIG = Command(
    "kubeconfig",
    "Exports cluster kubeconfig",
    "Exports cluster kubeconfig",
    (CONTEXT_NAME, KUBECONFIG, INTERNAL),
    action=actions.export_kubeconfig,
    arguments=_none,
)
CLUSTERS = "Lists existing kind clusters by their name"
NODES = "Lists existing kind nodes by their name"
GET = (
    Command("clusters", CLUSTERS, CLUSTERS, action=actions.get_clusters, arguments=_none),
    Command(
        "kubeconfig",
        "Prints cluster kubeconfig",
        "Prints cluster kubeconfig",
        (CONTEXT_NAME, INTERNAL),
        action=actions.get_kubeconfig,
        arguments=_none,
    ),
    Command(
        "nodes",
        NODES,
        NODES,
        (CONTEXT_NAME, Flag("all-clusters", "bool", ALL_CLUSTERS, "A")),
        action=actions.get_nodes,
        arguments=_none,
    ),
)
LOAD = (
    Command(
        "docker-image <IMAGE> [IMAGE...]",
        "Loads docker images from host into nodes",
        "Loads docker images from host into all or specified nodes by name",
        (CONTEXT_NAME, ON_NODES),
        action=actions.load_images,
        arguments=_some("a list of image names is required"),
    ),
    Command(
        "image-archive <IMAGE.tar>",
        "Loads docker image from archive into nodes",
        "Loads docker image from archive into all or specified nodes by name",
        (CONTEXT_NAME, ON_NODES),
        action=actions.load_archives,
        arguments=_some("name of image archive is required"),
    ),
)
ROOT = Command(
    "kind",
    "kind is a tool for managing local Kubernetes clusters",
    "kind creates and manages local Kubernetes clusters using Docker container 'nodes'",
    commands=(
        Command("build", "Build one of [node-image]", "Build one of [node-image]", action=actions.absent),
        Command(
            "completion",
            "Output shell completion code for the specified shell (bash, zsh or fish)",
            "Outputs shell completion for the given shell (bash, zsh, or fish)",
            action=actions.absent,
        ),
        _group(
            "create", "Creates one of [cluster]", "Creates one of local Kubernetes cluster (cluster)", CREATE
        ),
        _group("delete", "Deletes one of [cluster]", "Deletes one of [cluster]", *DELETE),
        _group(
            "export",
            "Exports one of [kubeconfig, logs]",
            "Exports one of [kubeconfig, logs]",
            EXPORT_KUBECONFIG,
            LOGS,
        ),
        _group(
            "get",
            "Gets one of [clusters, nodes, kubeconfig]",
            "Gets one of [clusters, nodes, kubeconfig]",
            *GET,
        ),
        Command("help", "Help about any command", "Help about any command", action=actions.absent),
        _group(
            "load",
            "Loads images into nodes",
            "Loads images into node from an archive or image on host",
            *LOAD,
        ),
        Command(
            "version",
            "Prints the kind CLI version",
            "Prints the kind CLI version",
            action=actions.version,
            arguments=_none,
        ),
    ),
    note=STAND_IN,
)
