"""`minikube start` and `minikube node add`."""

from __future__ import annotations

import os
import re
import signal

from kind_standin import kubeconfig
from kind_standin.cli import Values
from kind_standin.errors import CommandError

from minikube_standin import asking, failures, machines, profiles
from minikube_standin.out import err, fatal, option, step
from minikube_standin.profiles import Config

VERSION = "v1.38.1"
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-]+")
RUNTIMES = {"": "Docker 29.2.1", "docker": "Docker 29.2.1", "containerd": "containerd 2.2.1"}
DRIVERS = ("docker", "podman")
MEMORY, LEAST_MEMORY = 2200, 1800  # MB for each node


def start(values: Values, _: list[str]) -> int:
    """Create a profile and its nodes, or start those that there are."""
    name = values["profile"]
    step(f"{f'[{name}] ' if name != 'minikube' else ''}minikube {VERSION} on Debian 12.12 (kvm/amd64)")
    for variable, value in os.environ.items():
        if variable.startswith("MINIKUBE_") or variable == "KUBECONFIG":
            option(f"{variable}={value}")
    if values.get("force"):
        skipping = "minikube skips various validations when --force is supplied"
        err(f"{skipping}; this may lead to unexpected behavior")
    if not NAME.fullmatch(name):
        err(f"Profile name '{name}' is not valid")
        rule = "Only alphanumeric and dashes '-' are permitted. Minimum 2 characters"
        raise fatal("MK_USAGE", 14, f"{rule}, starting with alphanumeric.")
    existing = profiles.find(name)
    _validate(values, existing)
    if existing is None:
        config = _create(values)
    else:
        config = existing
        _start_again(config, values)
    kubeconfig.write_merged(asking.kubeconfig_of(config), "")
    step(f'Done! kubectl is now configured to use "{name}" cluster and "default" namespace by default')
    return 0


def _validate(values: Values, existing: Config | None) -> None:
    driver = values.get("driver") or "docker"
    if existing is not None and driver != existing["Driver"]:
        name = existing["Name"]
        text = (
            f'The existing "{name}" cluster was created using the "{existing["Driver"]}" driver, which is '
            f'incompatible with requested "{driver}" driver.'
        )
        raise fatal("GUEST_DRIVER_MISMATCH", 81, text)
    if driver not in DRIVERS:
        raise fatal("DRV_UNSUPPORTED_OS", 56, f"The driver '{driver}' is not supported on linux/amd64")
    step(f"Using the {driver} driver based on {'existing profile' if existing else 'user configuration'}")
    if failures.asked("engine"):
        raise failures.engine()
    if os.geteuid() == 0:
        refusal = f'The "{driver}" driver should not be used with root privileges.'
        err(f"{refusal} If you wish to continue as root, use --force.", "* ")
        if not values.get("force"):
            raise fatal("DRV_AS_ROOT", 57, refusal)
    if failures.asked("memory"):
        raise failures.memory()
    if (runtime := values.get("container-runtime", "")) not in RUNTIMES:
        valid = "docker, cri-o, containerd"
        raise fatal("MK_USAGE", 14, f'Invalid Container Runtime: "{runtime}". Valid runtimes are: [{valid}]')


def _create(values: Values) -> Config:
    name = values["profile"]
    runtime = values.get("container-runtime") or "docker"
    ports = values.get("ports", [])
    driver = values.get("driver") or "docker"
    cpus = values.get("cpus", "2")
    config = profiles.new(name, runtime=runtime, ports=ports, memory=MEMORY, cpus=cpus, driver=driver)
    for _ in range(values.get("nodes", 1)):
        config["Nodes"].append(profiles.new_node(config))
    everybody = config["Nodes"]
    config["Nodes"] = everybody[:1]
    profiles.save(config)
    step(f'Starting "{name}" primary control-plane node in "{name}" cluster')
    step("Pulling base image v0.0.50 ...")
    if failures.asked("slow"):
        signal.pause()
    _creating(config)
    if failures.asked("provision"):
        raise failures.provisioning("docker run -d -t --privileged: exit status 125")
    try:
        machines.make_first(config)
    except CommandError as error:
        raise failures.provisioning(f"{error.message}\n{error.output}") from None
    if failures.asked("stall"):
        signal.pause()
    step(f"Preparing Kubernetes {profiles.KUBERNETES} on {RUNTIMES[runtime]} ...")
    config["Nodes"] = everybody
    try:
        machines.cluster(config, "create", *profiles.machines(config))
    except CommandError as error:
        raise fatal("GUEST_START", 80, f"failed to start node: {error.message}\n{error.output}") from None
    step("Configuring CNI (Container Networking Interface) ...")
    _verified(config)
    step("Enabled addons: default-storageclass, storage-provisioner")
    for node in everybody[1:]:
        print()
        _join(config, node)
    profiles.save(config)
    return config


def _creating(config: Config) -> None:
    step(f"Creating {config['Driver']} container (CPUs={config['CPUs']}, Memory={config['Memory']}MB) ...")


def _verified(config: Config) -> None:
    address = machines.address(config["Name"])
    for node in config["Nodes"]:
        node["IP"] = address
    step("Verifying Kubernetes components...")
    option("Using image gcr.io/k8s-minikube/storage-provisioner:v5")


def _join(config: Config, node: Config) -> None:
    """Make the container of a node that the cluster knows already."""
    machine = profiles.machine(config, node)
    step(f'Starting "{machine}" worker node in "{config["Name"]}" cluster')
    _creating(config)
    try:
        machines.make_other(config, machine)
    except CommandError as error:
        raise failures.provisioning(f"{error.message}\n{error.output}") from None


def _start_again(config: Config, values: Values) -> None:
    name = config["Name"]
    if values.get("nodes", len(config["Nodes"])) != len(config["Nodes"]):
        err(
            "You cannot change the number of nodes for an existing minikube cluster. Please use 'minikube "
            "node add' to add nodes to an existing cluster."
        )
    step(f'Starting "{name}" primary control-plane node in "{name}" cluster')
    states = {machine: machines.state(machine) for machine in profiles.machines(config)}
    if states[name] == "Nonexistent":
        raise failures.provisioning(f"{name} is gone; this stand-in does not make it again")
    if states[name] == "Running":
        step(f'Updating the running {config["Driver"]} "{name}" container ...')
    else:
        step(f'Restarting existing {config["Driver"]} container for "{name}" ...')
    for machine, state in states.items():
        if state == "Stopped":
            machines.start(machine)
    if states[name] == "Stopped":
        machines.cluster(config, "start")
    _verified(config)
    profiles.save(config)


def add_node(values: Values, _: list[str]) -> int:
    """Add one worker to a profile that runs."""
    config = asking.running(values["profile"])
    node = profiles.new_node(config)
    machine = profiles.machine(config, node)
    step(f"Adding node {node['Name']} to cluster {config['Name']} as [worker]")
    if failures.asked("add"):
        raise fatal("GUEST_NODE_ADD", 80, f"failed to add node: {_no_room(machine)}")
    _join(config, node)
    machines.cluster(config, "add", machine)
    config["Nodes"].append(node)
    _verified(config)
    profiles.save(config)
    step(f"Successfully added {node['Name']} to {config['Name']}!")
    return 0


def _no_room(machine: str) -> str:
    return f"creating host: create kic node: create container: docker run {machine}: no space left on device"
