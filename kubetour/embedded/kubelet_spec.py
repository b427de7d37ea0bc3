"""From a container of a Pod's spec to what the runtime is told: environment, command, address and port."""

from __future__ import annotations

from kubetour.embedded import pod_environment, pod_network, pod_security
from kubetour.embedded.container import ContainerSpec
from kubetour.embedded.imagestore import Image
from kubetour.embedded.kubelet_container import (
    CONTAINER_NAME,
    POD_NAME,
    POD_NAMESPACE,
    POD_UID,
    RESTARTS,
    ContainerSlot,
)
from kubetour.embedded.kubelet_state import NodeContext, PodState
from kubetour.embedded.kubelet_volumes import PodVolumes
from kubetour.embedded.paths import private_directory

_LONGEST_HOSTNAME = 63


def container_spec(
    node: NodeContext, state: PodState, slot: ContainerSlot, image: Image, volumes: PodVolumes
) -> ContainerSpec:
    """Return what to start; ConfigError where something that the spec refers to is not there.

    Notes in the slot where each of the container's ports will listen.
    """
    spec, pod = slot.spec, state.pod
    pod_security.check_non_root(pod, spec, str((image.config.get("config") or {}).get("User") or ""))
    addresses = {
        "status.podIP": state.ip,
        "status.podIPs": state.ip,
        "status.hostIP": node.address,
        "status.hostIPs": node.address,
    }
    environment = pod_environment.environment(pod, spec, node.api, addresses)
    restarts = slot.restarts + 1 if slot.current else 0
    command, args = (
        [pod_environment.expand(word, environment) for word in spec[key]] if spec.get(key) else None
        for key in ("command", "args")
    )
    return ContainerSpec(
        name=f"k8s_{slot.name}_{state.full_name}_{state.uid}_{restarts}",
        image=spec["image"],
        hostname=str(pod["spec"].get("hostname") or pod["metadata"]["name"])[:_LONGEST_HOSTNAME],
        host=state.ip,
        port=_choose_ports(node, state, slot, image, environment),
        environment=environment,
        command=command,
        args=args,
        working_directory=spec.get("workingDir", ""),
        labels={
            POD_NAME: pod["metadata"]["name"],
            POD_NAMESPACE: pod["metadata"]["namespace"],
            POD_UID: state.uid,
            CONTAINER_NAME: slot.name,
            RESTARTS: str(restarts),
        },
        mounts=volumes.mounts(spec, environment),
        stdin=bool(spec.get("stdin")),
        stdin_once=bool(spec.get("stdinOnce")),
        tty=bool(spec.get("tty")),
        log=str(private_directory(state.directory(node) / slot.name) / f"{restarts}.log"),
    )


def _choose_ports(
    node: NodeContext, state: PodState, slot: ContainerSlot, image: Image, environment: dict[str, str]
) -> int:
    """Return the PORT that the container is told, 0 for none.

    It is the first of the container's ports, else the first that the image exposes, where that is free.
    A PORT that the spec sets stays as it is.
    """
    exposed = (image.config.get("config") or {}).get("ExposedPorts") or {}
    ports = pod_network.container_ports(slot.spec) or [int(port.partition("/")[0]) for port in exposed]
    slot.listens = {port: f"{state.ip}:{port}" for port in ports}
    if not ports or "PORT" in environment:
        return 0
    taken = {
        int(where.rpartition(":")[2])
        for other in state.slots()
        if other is not slot
        for where in other.listens.values()
    }
    chosen = node.network.listen(state.ip, ports[0], taken)
    slot.listens[ports[0]] = f"{state.ip}:{chosen}"
    return chosen
