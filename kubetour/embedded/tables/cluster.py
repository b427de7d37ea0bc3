"""The tables of the cluster itself: Nodes, Namespaces, Events, configuration, leases, accounts and roles."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kubetour.embedded.api import Object
from kubetour.embedded.duration import since
from kubetour.embedded.tables.column import AGE, NAME, NONE, Column, Printer, age, name, spec_status

_ROLE_PREFIX, _ROLE_LABEL = "node-role.kubernetes.io/", "kubernetes.io/role"


def _node_status(spec: Object, status: Object) -> str:
    ready = next((c["status"] for c in status.get("conditions") or [] if c["type"] == "Ready"), "")
    text = {"True": "Ready", "": "Unknown"}.get(ready, "NotReady")
    return f"{text},SchedulingDisabled" if spec.get("unschedulable") else text


def _roles(labels: dict[str, str]) -> str:
    roles = {key.removeprefix(_ROLE_PREFIX) for key in labels if key.startswith(_ROLE_PREFIX)}
    roles |= {labels[_ROLE_LABEL]} if labels.get(_ROLE_LABEL) else set()
    return ",".join(sorted(filter(None, roles))) or NONE


def _node(obj: Object, now: datetime) -> list[Any]:
    spec, status = spec_status(obj)
    info = status.get("nodeInfo") or {}
    addresses: dict[str, str] = {}
    for address in status.get("addresses") or []:
        addresses.setdefault(address["type"], address["address"])
    kernel, machine = info.get("kernelVersion"), info.get("architecture")
    return [
        name(obj),
        _node_status(spec, status),
        _roles(obj["metadata"].get("labels") or {}),
        age(obj, now),
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP", NONE),
        addresses.get("ExternalIP", NONE),
        info.get("osImage") or "<unknown>",
        (f"{kernel} ({machine})" if machine else kernel) if kernel else "<unknown>",
        info.get("containerRuntimeVersion") or "<unknown>",
    ]


def _event(obj: Object, now: datetime) -> list[Any]:
    involved, source = obj.get("involvedObject") or {}, obj.get("source") or {}
    series = obj.get("series") or {}
    first = obj.get("firstTimestamp") or obj.get("eventTime")
    last = series.get("lastObservedTime") or obj.get("lastTimestamp") or first
    component = source.get("component") or obj.get("reportingComponent") or ""
    host = source.get("host") or ""
    return [
        since(last, now),
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{involved.get('kind', '').lower()}/{involved.get('name', '')}",
        involved.get("fieldPath", ""),
        f"{component}, {host}" if host else component,
        (obj.get("message") or "").strip(),
        since(first, now),
        series.get("count") or obj.get("count") or 1,
        name(obj),
    ]


def _role_binding(obj: Object, now: datetime) -> list[Any]:
    role, subjects = obj.get("roleRef") or {}, obj.get("subjects") or []

    def named(kind: str) -> str:
        return ", ".join(
            f"{s['namespace']}/{s['name']}" if s.get("namespace") else s["name"]
            for s in subjects
            if s.get("kind") == kind
        )

    reference = f"{role.get('kind', '')}/{role.get('name', '')}"
    return [name(obj), reference, age(obj, now), named("User"), named("Group"), named("ServiceAccount")]


_BINDING = Printer(
    (
        NAME,
        Column("Role", "V1RoleBinding.roleRef"),
        AGE,
        Column("Users", "Users in the binding", priority=1),
        Column("Groups", "Groups in the binding", priority=1),
        Column("ServiceAccounts", "Service accounts in the binding", priority=1),
    ),
    _role_binding,
)
_CREATED_AT = Column("Created At", "V1ObjectMeta.creationTimestamp")
_ROLE = Printer((NAME, _CREATED_AT), lambda obj, _: [name(obj), obj["metadata"]["creationTimestamp"]])

_REPORTING = "The component reporting this event. Should be a short machine understandable string."

PRINTERS = {
    "namespaces": Printer(
        (NAME, Column("Status", "The status of the namespace"), AGE),
        lambda obj, now: [name(obj), (obj.get("status") or {}).get("phase", ""), age(obj, now)],
    ),
    "nodes": Printer(
        (
            NAME,
            Column("Status", "The status of the node"),
            Column("Roles", "The roles of the node"),
            AGE,
            Column("Version", "V1NodeSystemInfo.kubeletVersion"),
            Column("Internal-IP", "V1NodeStatus.addresses", priority=1),
            Column("External-IP", "V1NodeStatus.addresses", priority=1),
            Column("OS-Image", "V1NodeSystemInfo.osImage", priority=1),
            Column("Kernel-Version", "V1NodeSystemInfo.kernelVersion", priority=1),
            Column("Container-Runtime", "V1NodeSystemInfo.containerRuntimeVersion", priority=1),
        ),
        _node,
    ),
    "events": Printer(
        (
            Column("Last Seen", "CoreV1Event.lastTimestamp"),
            Column("Type", "CoreV1Event.type"),
            Column("Reason", "CoreV1Event.reason"),
            Column("Object", "The object that this event is about."),
            Column("Subobject", "V1ObjectReference.fieldPath", priority=1),
            Column("Source", _REPORTING, priority=1),
            Column("Message", "CoreV1Event.message"),
            Column("First Seen", "CoreV1Event.firstTimestamp", priority=1),
            Column("Count", "CoreV1Event.count", priority=1),
            Column("Name", "V1ObjectMeta.name", format="name", priority=1),
        ),
        _event,
    ),
    "configmaps": Printer(
        (NAME, Column("Data", "V1ConfigMap.data"), AGE),
        lambda obj, now: [
            name(obj),
            len(obj.get("data") or {}) + len(obj.get("binaryData") or {}),
            age(obj, now),
        ],
    ),
    "secrets": Printer(
        (NAME, Column("Type", "V1Secret.type"), Column("Data", "V1Secret.data"), AGE),
        lambda obj, now: [name(obj), obj.get("type", ""), len(obj.get("data") or {}), age(obj, now)],
    ),
    "serviceaccounts": Printer(
        (NAME, Column("Secrets", "V1ServiceAccount.secrets"), AGE),
        lambda obj, now: [name(obj), len(obj.get("secrets") or []), age(obj, now)],
    ),
    "leases": Printer(
        (NAME, Column("Holder", "V1LeaseSpec.holderIdentity"), AGE),
        lambda obj, now: [name(obj), (obj.get("spec") or {}).get("holderIdentity", ""), age(obj, now)],
    ),
    "controllerrevisions": Printer(
        (
            NAME,
            Column("Controller", "Controller of the object"),
            Column("Revision", "V1ControllerRevision.revision"),
            AGE,
        ),
        lambda obj, now: [name(obj), _controller(obj), obj.get("revision", 0), age(obj, now)],
    ),
    "clusterroles": _ROLE,
    "roles": _ROLE,
    "clusterrolebindings": _BINDING,
    "rolebindings": _BINDING,
}


def _controller(obj: Object) -> str:
    for owner in obj["metadata"].get("ownerReferences") or []:
        if owner.get("controller"):
            group = owner["apiVersion"].rpartition("/")[0]
            kind = owner["kind"].lower()
            return f"{kind}.{group}/{owner['name']}" if group else f"{kind}/{owner['name']}"
    return NONE
