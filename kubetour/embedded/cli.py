"""The command line: kind's commands for clusters, Docker's for images and containers."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn, TypeAlias

from kubetour.embedded.errors import EmbeddedError

Command = Callable[[argparse.Namespace], int]


class _Parser(argparse.ArgumentParser):
    """argparse, with errors that begin as all others do."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong with the usage, and exit with status 2."""
        self.exit(2, f"ERROR: {message}\n\n{self.format_usage()}See '{self.prog} --help'\n")


def _lazy(module: str, name: str) -> Command:
    """Return a command whose module is loaded when it is called: `history` needs no web server."""

    def call(arguments: argparse.Namespace) -> int:
        from importlib import import_module

        command: Command = getattr(import_module(f"kubetour.embedded.{module}"), name)
        return command(arguments)

    return call


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; a parsed namespace has its command as `run`."""
    top = _Parser(
        prog="python -m kubetour.embedded",
        description="A small Kubernetes without a container engine, to learn with. Nothing is isolated.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    _clusters(commands)
    _images(commands)
    _containers(commands)
    return top


_Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"


def _leaf(commands: _Commands, name: str, module: str, function: str, text: str) -> argparse.ArgumentParser:
    leaf = commands.add_parser(name, help=text, description=text)
    leaf.set_defaults(run=_lazy(module, function))
    return leaf


def _group(commands: _Commands, name: str, text: str) -> _Commands:
    group = commands.add_parser(name, help=text, description=text)
    return group.add_subparsers(dest=f"{name}_what", required=True, metavar="WHAT", parser_class=_Parser)


def _name(leaf: argparse.ArgumentParser) -> None:
    leaf.add_argument("-n", "--name", metavar="NAME", help="the cluster's name (default kind)")


def _clusters(commands: _Commands) -> None:
    group = _group(commands, "create", "create a cluster")
    leaf = _leaf(group, "cluster", "cli_cluster", "create", "create a cluster in a background process")
    _name(leaf)
    leaf.add_argument("--kubeconfig", metavar="FILE", help="where to write its kubeconfig, a file of its own")
    leaf.add_argument("--config", metavar="FILE", help="a kind config (v1alpha4); - reads standard input")
    leaf.add_argument("--nodes", type=int, metavar="N", help="how many nodes (the first a control plane)")
    leaf.add_argument(
        "--runtime",
        choices=("processes", "fake"),
        default="processes",
        help="what Pods are: processes of this machine (default), or nothing that only looks as if it ran",
    )
    leaf.add_argument("--wait", default="30s", metavar="DURATION", help="how long to wait for ready nodes")
    leaf.add_argument("-q", "--quiet", action="store_true", help="print errors only")

    group = _group(commands, "delete", "delete a cluster")
    leaf = _leaf(group, "cluster", "cli_cluster", "delete", "delete a cluster and all that runs on it")
    _name(leaf)
    leaf.add_argument("--kubeconfig", metavar="FILE", help="the kubeconfig to remove")
    leaf.add_argument("-q", "--quiet", action="store_true", help="print errors only")

    group = _group(commands, "get", "list clusters or nodes, or print a kubeconfig")
    _leaf(group, "clusters", "cli_cluster", "get_clusters", "list the clusters")
    _name(_leaf(group, "nodes", "cli_cluster", "get_nodes", "list a cluster's nodes"))
    _name(_leaf(group, "kubeconfig", "cli_cluster", "get_kubeconfig", "print a cluster's kubeconfig"))

    group = _group(commands, "export", "write a kubeconfig")
    leaf = _leaf(group, "kubeconfig", "cli_cluster", "export_kubeconfig", "write a cluster's kubeconfig")
    _name(leaf)
    leaf.add_argument("--kubeconfig", metavar="FILE", required=True, help="where to write it")

    group = _group(commands, "load", "bring images to a cluster's nodes")
    leaf = _leaf(group, "image", "cli_cluster", "load_image", "load images of this machine onto the nodes")
    leaf.add_argument("images", nargs="+", metavar="IMAGE")
    _name(leaf)
    _nodes(leaf)
    leaf = _leaf(group, "image-archive", "cli_cluster", "load_archive", "load images from an archive")
    leaf.add_argument(
        "archives", nargs="+", metavar="FILE", help="a tar by `docker save`; - reads standard input"
    )
    _name(leaf)
    _nodes(leaf)

    group = _group(commands, "start", "start a cluster, or nodes of one, again")
    leaf = _leaf(group, "cluster", "cli_cluster", "start", "start a cluster whose process has ended")
    _name(leaf)
    leaf.add_argument("--kubeconfig", metavar="FILE", help="where to write its kubeconfig, too")
    leaf.add_argument("--wait", default="30s", metavar="DURATION", help="how long to wait for ready nodes")
    leaf.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    leaf = _leaf(group, "node", "cli_node", "start", "start nodes that `stop node NODE` has stopped")
    leaf.add_argument("nodes", nargs="+", metavar="NODE")

    leaf = _leaf(commands, "exec", "cli_cluster", "execute", "run a command on a node, which is this machine")
    leaf.add_argument("node", metavar="NODE")
    leaf.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    leaf = commands.add_parser("serve")
    leaf.set_defaults(run=_lazy("cli_cluster", "serve"))
    leaf.add_argument("--name", required=True)
    leaf.add_argument("--report", type=int)
    leaf.add_argument("--lifeline", type=int)


def _nodes(leaf: argparse.ArgumentParser) -> None:
    leaf.add_argument("--nodes", metavar="NODES", help="only these nodes, separated by commas")


def _images(commands: _Commands) -> None:
    leaf = _leaf(commands, "build", "cli_image", "build", "build an image from a Dockerfile")
    leaf.add_argument(
        "-t", "--tag", action="append", default=[], metavar="IMAGE", help="a name for the image"
    )
    leaf.add_argument("-f", "--file", metavar="FILE", help="the Dockerfile (default CONTEXT/Dockerfile)")
    leaf.add_argument(
        "--build-arg", action="append", default=[], metavar="NAME=VALUE", help="a value for an ARG"
    )
    leaf.add_argument(
        "--label", action="append", default=[], metavar="NAME=VALUE", help="a label for the image"
    )
    leaf.add_argument("--no-cache", action="store_true", help="make every layer again")
    leaf.add_argument("-q", "--quiet", action="store_true", help="print the image's ID alone")
    leaf.add_argument("context", metavar="CONTEXT", help="the directory that COPY reads from")

    leaf = _leaf(commands, "images", "cli_image", "images", "list the images")
    _format(leaf)
    leaf.add_argument("-q", "--quiet", action="store_true", help="print IDs alone")
    leaf.add_argument("image", nargs="?", metavar="IMAGE", help="only images of this name")

    leaf = _leaf(commands, "history", "cli_image", "history", "show what an image is made of")
    _format(leaf)
    leaf.add_argument("image", metavar="IMAGE")

    group = _group(commands, "image", "inspect, list or remove images")
    leaf = _leaf(group, "inspect", "cli_image", "inspect", "print all about images, as JSON")
    leaf.add_argument("-f", "--format", metavar="TEMPLATE", help="a Go template, such as {{.Id}}")
    leaf.add_argument("images", nargs="+", metavar="IMAGE")
    leaf = _leaf(group, "rm", "cli_image", "remove", "remove images")
    leaf.add_argument("-f", "--force", action="store_true", help="it is no error if there is none")
    leaf.add_argument("images", nargs="+", metavar="IMAGE")
    leaf = _leaf(group, "ls", "cli_image", "images", "list the images")
    _format(leaf)
    leaf.add_argument("-q", "--quiet", action="store_true", help="print IDs alone")
    leaf.add_argument("image", nargs="?", metavar="IMAGE", help="only images of this name")


def _format(leaf: argparse.ArgumentParser) -> None:
    leaf.add_argument("--no-trunc", action="store_true", help="cut nothing short")
    leaf.add_argument("--format", metavar="TEMPLATE", help="json, or a Go template such as {{.ID}}")


def _containers(commands: _Commands) -> None:
    leaf = _leaf(commands, "run", "cli_container", "run", "start a container: a plain process of yours")
    leaf.add_argument("-d", "--detach", action="store_true", help="in the background (there is no other way)")
    leaf.add_argument("--rm", action="store_true", help="remove it when it has ended")
    leaf.add_argument("--name", metavar="NAME", default="", help="its name")
    leaf.add_argument(
        "-p", "--publish", action="append", default=[], metavar="[IP:]HOST:CONTAINER", help="publish a port"
    )
    leaf.add_argument("-e", "--env", action="append", default=[], metavar="NAME=VALUE")
    leaf.add_argument("-l", "--label", action="append", default=[], metavar="NAME=VALUE")
    leaf.add_argument("--entrypoint", metavar="PROGRAM", help="start this instead of the image's entrypoint")
    leaf.add_argument("image", metavar="IMAGE")
    leaf.add_argument("args", nargs=argparse.REMAINDER, metavar="ARG", help="instead of the image's CMD")

    leaf = _leaf(commands, "logs", "cli_container", "logs", "print what a container printed")
    leaf.add_argument("-f", "--follow", action="store_true", help="go on until it ends")
    leaf.add_argument("-t", "--timestamps", action="store_true")
    leaf.add_argument("-n", "--tail", default="all", metavar="LINES", help="only the last lines")
    leaf.add_argument("container", metavar="CONTAINER")

    text = "ask containers to end; kill them after a while (`stop node NODE`: make a node of a cluster fail)"
    leaf = _leaf(commands, "stop", "cli_container", "stop", text)
    leaf.add_argument("-t", "--time", type=float, default=10.0, metavar="SECONDS", help="until the kill (10)")
    leaf.add_argument("containers", nargs="+", metavar="CONTAINER")

    leaf = _leaf(commands, "rm", "cli_container", "remove", "remove containers")
    leaf.add_argument("-f", "--force", action="store_true", help="running ones too; none is no error")
    leaf.add_argument("containers", nargs="+", metavar="CONTAINER")

    leaf = _leaf(commands, "ps", "cli_container", "ps", "list the containers that run")
    leaf.add_argument("-a", "--all", action="store_true", help="those that ended, too")
    leaf.add_argument("-q", "--quiet", action="store_true", help="print IDs alone")
    _format(leaf)

    leaf = _leaf(commands, "inspect", "cli_container", "inspect", "print all about containers or images")
    leaf.add_argument("-f", "--format", metavar="TEMPLATE", help="a Go template, such as {{.Id}}")
    leaf.add_argument("names", nargs="+", metavar="NAME")

    leaf = commands.add_parser("shim")
    leaf.set_defaults(run=_lazy("cli_container", "shim"))
    leaf.add_argument("words", nargs=3)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    arguments = parser().parse_args(argv)
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except EmbeddedError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Who read our output went away, as `| head` does. Nothing more can be said there, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    return status
