"""The commands that do something with a profile that is there."""

from __future__ import annotations

import platform
import re
import sys
from pathlib import Path

from kind_standin import docker, kubeconfig
from kind_standin.cli import Values
from kind_standin.errors import CommandError

from minikube_standin import asking, failures, machines, profiles
from minikube_standin.out import ExitError, err, fatal, step
from minikube_standin.start import VERSION


def ssh(values: Values, arguments: list[str]) -> int:
    """Run a command on a node: its words become one line for a shell there, which has a terminal."""
    config = asking.running(values["profile"])
    done = machines.enter(asking.node(config, values.get("node", "")), " ".join(arguments))
    sys.stdout.buffer.write(re.sub(rb"\r?\n", b"\r\n", done.stdout))
    sys.stdout.flush()
    if done.returncode:
        err(f"ssh: Process exited with status {done.returncode}", "")
        return 1
    return 0


def load_image(values: Values, arguments: list[str]) -> int:
    """Load archives, or images of the engine, on all nodes that run."""
    if not arguments:
        usage = "Please provide an image in your local daemon to load into minikube via"
        raise fatal("MK_USAGE", 14, f"{usage} <minikube image load IMAGE_NAME>")
    config = profiles.load_for_image(values["profile"])
    nodes = [profiles.machine(config, node) for node in machines.existing(config)]
    for image in arguments:
        path = Path(image) if image[0] in "./" or Path(image).exists() else _cached(image)
        if not path.exists():
            raise fatal(
                "GUEST_IMAGE_LOAD", 80, f"Failed to load image: stat {path}: no such file or directory"
            )
        first, *others = nodes[:-1] if failures.asked("load") or failures.asked("digest") else nodes or [""]
        if not first:
            continue  # where no node runs, minikube does nothing and says nothing
        also = {"ALSO_ON": " ".join(others)}
        try:
            with path.open("rb") as file:
                command = ("ctr", "-n=k8s.io", "images", "import", "-")
                docker.on_node(first, *command, stdin=file, environment=also)
        except CommandError:
            continue  # only its log has it: "Live pushes are not considered a failure"
    return 0


def _cached(image: str) -> Path:
    """Return the archive of an image of the engine, which minikube keeps."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    path = profiles.home() / "cache" / "images" / machine / image.replace(":", "_")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        docker.run("save", "-o", str(path), image)
    except CommandError:
        doing = f"Failed to load image: save to dir: caching images: caching image {str(path)!r}"
        raise fatal("GUEST_IMAGE_LOAD", 80, f"{doing}: No such image: {image}") from None
    return path


def list_images(values: Values, _: list[str]) -> int:
    """Print the first node's images."""
    config = profiles.load_for_image(values["profile"])
    for line in docker.on_node(config["Name"], "crictl", "images").splitlines()[1:]:
        name, tag, *_rest = line.split()
        print(f"{name}:{tag}")
    return 0


def service(values: Values, arguments: list[str]) -> int:
    """Print a Service's URL at the node's address."""
    if not arguments:
        raise fatal("MK_USAGE", 14, "You must specify service name(s) or --all")
    if not values.get("url"):
        raise fatal("HOST_BROWSER", 30, "kubetour's stand-in for minikube opens no browser: give --url")
    config = asking.running(values["profile"])
    shown = "jsonpath={.spec.ports[0].nodePort}"
    namespace = values.get("namespace", "default")
    try:
        port = docker.on_node(
            config["Name"], *("kubectl", "get", "service", arguments[0], "-n", namespace, "-o", shown)
        )
    except CommandError:
        text = f"Service '{arguments[0]}' was not found in '{namespace}' namespace."
        raise fatal("SVC_NOT_FOUND", 115, text) from None
    print(f"http://{config['Nodes'][0]['IP']}:{port}")
    return 0


def logs(values: Values, _: list[str]) -> int:
    """Write what Docker has of the nodes' output; of a profile that is not there, nothing."""
    config = profiles.find(values["profile"])
    names = profiles.machines(config) if config else []
    there = [name for name in names if machines.state(name) != "Nonexistent"]
    text = "".join(f"==> {name} <==\n{docker.run('logs', name)}\n" for name in there)
    if not values.get("file"):
        print(text)
        return 0
    try:
        Path(values["file"]).write_text(f"\n==> Audit <==\n{text}", encoding="utf-8")
    except OSError as error:
        raise fatal("MK_USAGE", 14, f"Failed to create file: {error}") from None
    return 0


def stop(values: Values, _: list[str]) -> int:
    """Stop the nodes, which `start` starts again."""
    config = profiles.load(values["profile"])
    for machine in reversed(profiles.machines(config)):
        step(f'Stopping node "{machine}"  ...')
        machines.stop(machine)
    step(f"{len(config['Nodes'])} node{'s' if len(config['Nodes']) > 1 else ''} stopped.")
    return 0


def delete(values: Values, arguments: list[str]) -> int:
    """Delete a profile; that there is none is no error."""
    if arguments:
        raise fatal("MK_USAGE", 14, "Usage: minikube delete")
    name = values["profile"]
    config = profiles.find(name)
    if config is None:
        err(f'"{name}" profile does not exist, trying anyways.')
    elif config["Nodes"]:
        step(f'Deleting "{name}" in {config["Driver"]} ...')
        if failures.asked("delete"):
            err(f'Failed to delete profile(s): deleting "{name}": removal of container is in progress', "X ")
            raise ExitError(80)
        for machine in reversed(profiles.machines(config)):
            step(f"Deleting container {machine!r} ...".replace("'", '"'))
            machines.remove(machine)
    profiles.delete(name)
    kubeconfig.remove(name, "")
    step(f'Removed all traces of the "{name}" cluster.')
    return 0


def version(values: Values, _: list[str]) -> int:
    """Print the version."""
    if values.get("short"):
        print(VERSION)
    else:
        print(f"minikube version: {VERSION}\ncommit: kubetour's stand-in, for its tests only")
    return 0
