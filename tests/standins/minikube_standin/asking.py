"""What minikube's commands find out of a profile before they do anything, and those that only tell it."""

from __future__ import annotations

import json
from typing import Any

from kind_standin import docker, kubeconfig
from kind_standin.cli import Values

from minikube_standin import machines, profiles
from minikube_standin.out import err, fatal, step, tip
from minikube_standin.profiles import Config


def running(name: str) -> Config:
    """Return a profile whose first node runs; the end of the program if it does not."""
    config = profiles.load(name)
    state = machines.state(name)
    if state == "Nonexistent":
        raise tip(f"The control-plane node {name} host does not exist", "start", name, 85)
    if state != "Running":
        text = f"The control-plane node {name} host is not running: state={state}"
        raise tip(text, "start", name, 83)
    return config


def node(config: Config, wanted: str) -> str:
    """Return the name of a node's container, as `--node` names it: m02 or NAME-m02; by default the first."""
    for each in config["Nodes"]:
        machine = profiles.machine(config, each)
        if wanted in ("", each["Name"], machine):
            return machine
    raise fatal("GUEST_NODE_RETRIEVE", 85, f"Node {wanted} does not exist.")


def kubeconfig_of(config: Config) -> dict[str, Any]:
    """Return a profile's kubeconfig; its user has a token, where minikube's has a certificate."""
    return kubeconfig.named(machines.admin(config), config["Name"], machines.server(config))


def update_context(values: Values, _: list[str]) -> int:
    """Write a running profile's kubeconfig, and make its context the current one."""
    config = running(values["profile"])
    made = kubeconfig_of(config)
    kubeconfig.write_merged(made, "")
    host, _, port = made["clusters"][0]["cluster"]["server"].removeprefix("https://").partition(":")
    step(f'"{config["Name"]}" context has been updated to point to {host}:{port}')
    step(f'Current context is "{config["Name"]}"')
    return 0


def ip(values: Values, _: list[str]) -> int:
    """Print a node's address."""
    config = running(values["profile"])
    wanted = node(config, values.get("node", ""))
    print(next(n["IP"] for n in config["Nodes"] if profiles.machine(config, n) == wanted))
    return 0


def list_nodes(values: Values, arguments: list[str]) -> int:
    """Print each node and its address."""
    if arguments:
        raise fatal("MK_USAGE", 14, "Usage: minikube node list")
    config = profiles.load(values["profile"])
    for each in config["Nodes"]:
        print(f"{profiles.machine(config, each)}\t{each['IP']}")
    return 0


def _status(config: Config, each: Config) -> dict[str, Any]:
    state = machines.state(profiles.machine(config, each))
    worker = not each["ControlPlane"]
    return {
        "Name": profiles.machine(config, each),
        "Host": state,
        "Kubelet": state,
        "APIServer": "Irrelevant" if worker else state,
        "Kubeconfig": "Irrelevant" if worker else "Configured" if state == "Running" else state,
        "Worker": worker,
    }


def status(values: Values, _: list[str]) -> int:
    """Print the nodes' states; the exit status has a bit for each thing that is not as it should be."""
    config = profiles.load(values["profile"])
    wanted = node(config, values["node"]) if values.get("node") else ""
    found = [_status(config, each) for each in config["Nodes"]]
    found = [each for each in found if wanted in ("", each["Name"])]
    if values.get("output", "text").lower() == "json":
        print(json.dumps(found if len(found) > 1 else found[0], separators=(",", ":")), end="")
    else:
        for each in found:
            kind = "Worker" if each["Worker"] else "Control Plane"
            lines = [each["Name"], f"type: {kind}", f"host: {each['Host']}", f"kubelet: {each['Kubelet']}"]
            if not each["Worker"]:
                lines += [f"apiserver: {each['APIServer']}", f"kubeconfig: {each['Kubeconfig']}"]
            print("\n".join(lines), end="\n\n")
    return 7 if any(each["Host"] != "Running" for each in found) else 0


def list_profiles(values: Values, _: list[str]) -> int:
    """Print all profiles: as a table of names and states, or as JSON."""
    names = profiles.names()
    found = [config for name in names if (config := profiles.find(name)) and config["Nodes"]]
    damaged = [name for name in names if name not in {config["Name"] for config in found}]
    states = {}
    for config in found:
        with docker.used(config["Driver"]):
            states[config["Name"]] = machines.state(config["Name"])
    if values.get("output", "table").lower() == "json":
        valid = [{"Name": c["Name"], "Status": _shown(states[c["Name"]]), "Config": c} for c in found]
        invalid = [{"Name": name, "Status": "", "Config": None} for name in damaged]
        print(json.dumps({"invalid": invalid, "valid": valid}, separators=(",", ":")), end="")
        return 0
    if not found:
        raise fatal("MK_USAGE_NO_PROFILE", 14, "No minikube profile was found.")
    for name, state in states.items():
        print(f"│ {name} │ {_shown(state)} │")
    if damaged:
        err(f"Found {len(damaged)} invalid profile(s) ! ")
    return 0


def _shown(state: str) -> str:
    return {"Running": "OK", "Nonexistent": "Unknown"}.get(state, state)
