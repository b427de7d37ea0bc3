"""The commands of minikube that this stand-in knows, and `main`."""

from __future__ import annotations

import sys

from kind_standin import cli, docker
from kind_standin.cli import Command, Flag
from kind_standin.errors import KindError

from minikube_standin import actions, asking, profiles, start
from minikube_standin.out import ExitError

STAND_IN = "This is kubetour's stand-in for minikube, for its tests only."
USAGE = 14  # minikube's exit status for wrong use

GLOBAL = (
    Flag("profile", "string", "The name of the minikube VM being used.", "p", "minikube"),
    Flag("bootstrapper", "string", "The name of the cluster bootstrapper.", "b", "kubeadm"),
    Flag("rootless", "bool", "Force to use rootless driver (docker and podman driver only)"),
    Flag("skip-audit", "bool", "Skip recording the current command in the audit logs."),
    Flag("user", "string", "Specifies the user executing the operation."),
    Flag("v", "int", "number for the log level verbosity", "v"),
    Flag("alsologtostderr", "bool", "log to standard error as well as files"),
)


def _flags(type_: str, names: str) -> tuple[Flag, ...]:
    """Return flags of one type from their names; one with a letter is written NAME:LETTER."""
    parted = (name.partition(":") for name in names.split())
    return tuple(Flag(name, type_, "", short) for name, _, short in parted)


START = (
    *_flags(
        "bool",
        """auto-update-drivers cache-images delete-on-failure disable-coredns-log disable-driver-mounts
        disable-metrics disable-optimizations dns-proxy download-only dry-run embed-certs force
        force-systemd ha host-dns-resolver hyperv-use-external-switch install-addons interactive
        keep-context kvm-gpu kvm-hidden mdns mount native-ssh no-kubernetes no-vtx-check preload rosetta vm
        vmnet-offloading""",
    ),
    *_flags(
        "string",
        """apiserver-name base-image binary-mirror cni container-runtime:c cpus cri-socket disk-size
        dns-domain driver:d feature-gates gpus:g host-only-cidr host-only-nic-type hyperkit-vpnkit-sock
        hyperv-external-adapter hyperv-virtual-switch image-mirror-country image-repository kubernetes-version
        kvm-network kvm-qemu-uri listen-address memory:m mount-9p-version mount-gid mount-ip mount-string
        mount-type mount-uid namespace nat-nic-type network nfs-shares-root output:o preload-source
        qemu-firmware-path service-cluster-ip-range socket-vmnet-client-path socket-vmnet-path ssh-ip-address
        ssh-key ssh-user static-ip subnet trace uuid""",
    ),
    *_flags(
        "strings",
        """addons apiserver-ips apiserver-names dns-servers docker-env docker-opt extra-config
        hyperkit-vsock-ports insecure-registry iso-url mount-options nfs-share ports registry-mirror wait""",
    ),
    *_flags("int", "apiserver-port extra-disks kvm-numa-count mount-msize mount-port nodes:n ssh-port"),
    *_flags("duration", "auto-pause-interval cert-expiration wait-timeout"),
)
NODE = _flags("string", "node:n")


def _group(name: str, short: str, *commands: Command) -> Command:
    return Command(name, short, short, commands=commands)


def _command(use: str, short: str, action: cli.Action, *flags: Flag) -> Command:
    return Command(use, short, short, flags, action=action)


ROOT = Command(
    "minikube",
    "minikube quickly sets up a local Kubernetes cluster",
    "minikube provisions and manages local Kubernetes clusters optimized for development workflows.",
    commands=(
        _command("start", "Starts a local Kubernetes cluster", start.start, *START),
        _command(
            "status",
            "Gets the status of a local Kubernetes cluster",
            asking.status,
            *NODE,
            *_flags("string", "format:f layout:l output:o"),
        ),
        _command("stop", "Stops a running local Kubernetes cluster", actions.stop, *_flags("bool", "all")),
        _command(
            "delete",
            "Deletes a local Kubernetes cluster",
            actions.delete,
            *_flags("bool", "all purge"),
            *_flags("string", "output:o"),
        ),
        _group(
            "image",
            "Manage images",
            _command(
                "load IMAGE | ARCHIVE | -",
                "Load an image into minikube",
                actions.load_image,
                *_flags("bool", "daemon overwrite pull remote"),
            ),
            _command("ls", "List images", actions.list_images, *_flags("string", "format")),
        ),
        _group(
            "profile",
            "Get or list the current profiles (clusters)",
            _command(
                "list",
                "Lists all minikube profiles.",
                asking.list_profiles,
                *_flags("string", "output:o"),
                *_flags("bool", "detailed:d light:l"),
            ),
        ),
        _group(
            "node",
            "Add, remove, or list additional nodes",
            _command(
                "add",
                "Adds a node to the given cluster.",
                start.add_node,
                *_flags("bool", "control-plane delete-on-failure worker"),
            ),
            _command("list", "List nodes.", asking.list_nodes),
        ),
        _command(
            "update-context", "Update kubeconfig in case of an IP or port change", asking.update_context
        ),
        _command(
            "service [flags] SERVICE",
            "Returns a URL to connect to a service",
            actions.service,
            *_flags("bool", "all https url"),
            *_flags("string", "format namespace:n"),
            *_flags("int", "interval wait"),
        ),
        _command(
            "ssh",
            "Log into the minikube environment (for debugging)",
            actions.ssh,
            *NODE,
            *_flags("bool", "native-ssh"),
        ),
        _command("ip", "Retrieves the IP address of the specified node", asking.ip, *NODE),
        _command(
            "logs",
            "Returns logs to debug a local Kubernetes cluster",
            actions.logs,
            *_flags("bool", "audit follow:f last-start-only problems"),
            *_flags("string", "file node"),
            *_flags("int", "length:n"),
        ),
        _command(
            "version",
            "Print the version of minikube",
            actions.version,
            *_flags("bool", "components short"),
            *_flags("string", "output:o"),
        ),
    ),
    note=STAND_IN,
)


def main(argv: list[str]) -> int:
    """Run one command and return its exit status."""
    try:
        parsed = cli.parse(ROOT, argv, GLOBAL)
    except KindError as error:
        print(f"Error: {error.message}\nSee 'minikube {_words(argv)}--help' for usage.", file=sys.stderr)
        return USAGE
    command, values = parsed.path[-1], parsed.values
    if command.action is None and parsed.arguments:
        where = parsed.words
        print(f'Error: unknown command "{parsed.arguments[0]}" for "{where}"', file=sys.stderr)
        print(f"Run '{where} --help' for usage.", file=sys.stderr)
        return USAGE
    if values.get("help") or command.action is None:
        print(cli.help_text(parsed.path), end="")
        return 0
    values.setdefault("profile", "minikube")
    there = profiles.find(values["profile"]) or {}
    try:
        with docker.used(values.get("driver") or there.get("Driver") or "docker"):
            return command.action(values, parsed.arguments)
    except ExitError as error:
        return error.status


def _words(argv: list[str]) -> str:
    """Return the commands among the words that were typed, each with a blank behind it."""
    path = ROOT
    words = ""
    for word in argv:
        found = next((command for command in path.commands if command.name == word), None)
        if found:
            path, words = found, f"{words}{word} "
    return words
