"""What a kubelet says of its node: the Node object, its status, and its lease."""

from __future__ import annotations

import os
import platform
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kubetour.embedded.api import Object
from kubetour.embedded.clusterconfig import PROCESSES
from kubetour.embedded.imagestore import Image
from kubetour.embedded.machine import architecture, operating_system
from kubetour.embedded.pod_status import RUNTIME

KUBELET_SOCKET = "embedded.kubetour.dev/kubelet-socket"
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
LEASE_SECONDS = 40
MAX_PODS = 110
_IMAGES_TOLD = 50  # kubelet's nodeStatusMaxImages


@dataclass(frozen=True)
class NodeConfig:
    """What is fixed of a node when its cluster is made."""

    name: str
    role: str
    address: str
    pod_cidr: str
    socket: str
    labels: Mapping[str, str] = field(default_factory=dict)
    schedulable: bool = True
    runtime: str = PROCESSES


@dataclass(frozen=True)
class Machine:
    """What a node is made of; all nodes of a cluster are this one machine."""

    cpus: int
    memory_kib: int
    disk_kib: int
    kernel: str
    os_image: str
    machine_id: str
    boot_id: str


def this_machine(directory: Path) -> Machine:
    """Return what this machine is; `directory` is on the disk that is counted."""
    return Machine(
        cpus=os.cpu_count() or 1,
        memory_kib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024,
        disk_kib=shutil.disk_usage(directory).total // 1024,
        kernel=platform.release(),
        os_image=_os_image(),
        machine_id=(_line("/etc/machine-id") or uuid.uuid5(uuid.NAMESPACE_DNS, platform.node()).hex),
        boot_id=_line("/proc/sys/kernel/random/boot_id"),
    )


def _line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _os_image() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return f"{platform.system()} {platform.release()}"


def node_object(config: NodeConfig) -> Object:
    """Return the Node as its kubelet registers it."""
    arch, system = architecture(), operating_system()
    labels = {
        "beta.kubernetes.io/arch": arch,
        "beta.kubernetes.io/os": system,
        "kubernetes.io/arch": arch,
        "kubernetes.io/hostname": config.name,
        "kubernetes.io/os": system,
    }
    spec: Object = {"podCIDR": config.pod_cidr, "podCIDRs": [config.pod_cidr]}
    if config.role == "control-plane":
        labels |= {CONTROL_PLANE: "", "node.kubernetes.io/exclude-from-external-load-balancers": ""}
        if not config.schedulable:
            spec["taints"] = [{"key": CONTROL_PLANE, "effect": "NoSchedule"}]
    annotations = {
        "node.alpha.kubernetes.io/ttl": "0",
        "volumes.kubernetes.io/controller-managed-attach-detach": "true",
        KUBELET_SOCKET: config.socket,
    }
    return {
        "metadata": {"name": config.name, "labels": {**labels, **config.labels}, "annotations": annotations},
        "spec": spec,
    }


def node_status(
    config: NodeConfig, machine: Machine, version: str, images: list[Image], now: str, old: Object
) -> Object:
    """Return the Node's status. `version` is the Kubernetes version; conditions keep when they began."""
    resources = {
        "cpu": str(machine.cpus),
        "ephemeral-storage": f"{machine.disk_kib}Ki",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": f"{machine.memory_kib}Ki",
        "pods": str(MAX_PODS),
    }
    # Extended resources are whatever their owner says there are (updateAllocatable in the kubelet).
    for name, amount in (old.get("capacity") or {}).items():
        if "/" in name:
            resources[name] = amount
    return {
        "capacity": resources,
        "allocatable": resources,
        "conditions": _conditions(now, old),
        "addresses": [
            {"type": "InternalIP", "address": config.address},
            {"type": "Hostname", "address": config.name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
        "nodeInfo": {
            "machineID": machine.machine_id,
            "systemUUID": machine.machine_id,
            "bootID": machine.boot_id,
            "kernelVersion": machine.kernel,
            "osImage": machine.os_image,
            "containerRuntimeVersion": f"{RUNTIME}://{config.runtime}",
            "kubeletVersion": version,
            "kubeProxyVersion": "",
            "operatingSystem": operating_system(),
            "architecture": architecture(),
        },
        "images": [
            {"names": list(image.names), "sizeBytes": image.size}
            for image in sorted(images, key=lambda image: -image.size)[:_IMAGES_TOLD]
        ],
    }


_CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def _conditions(now: str, old: Object) -> list[Object]:
    before = {condition["type"]: condition for condition in old.get("conditions") or []}
    conditions = []
    for kind, status, reason, message in _CONDITIONS:
        known = before.get(kind)
        since = known["lastTransitionTime"] if known and known["status"] == status else now
        conditions.append(
            {
                "type": kind,
                "status": status,
                "lastHeartbeatTime": now,
                "lastTransitionTime": since,
                "reason": reason,
                "message": message,
            }
        )
    return conditions


def lease_object(config: NodeConfig, node: Object, now: str) -> Object:
    """Return the node's lease; renewing it says that the node lives. `now` is a metav1.MicroTime."""
    owner = {"apiVersion": "v1", "kind": "Node", "name": config.name, "uid": node["metadata"]["uid"]}
    return {
        "metadata": {"name": config.name, "namespace": "kube-node-lease", "ownerReferences": [owner]},
        "spec": {"holderIdentity": config.name, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": now},
    }
