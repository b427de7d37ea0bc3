"""The tables of kinds that are stored, and that nothing here acts on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kubetour.embedded.api import Object
from kubetour.embedded.duration import since
from kubetour.embedded.selectors import format_label_selector
from kubetour.embedded.tables.column import (
    AGE,
    CONTAINERS,
    IMAGES,
    NAME,
    NONE,
    Column,
    Printer,
    age,
    containers_and_images,
    name,
    spec_status,
)

_UNSET = "<unset>"
_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
_HOSTS_SHOWN = 3


def _replication_controller(obj: Object, now: datetime) -> list[Any]:
    spec, status = spec_status(obj)
    counts = [spec.get("replicas", 0), status.get("replicas", 0), status.get("readyReplicas", 0)]
    selector = ",".join(f"{key}={value}" for key, value in sorted((spec.get("selector") or {}).items()))
    return [name(obj), *counts, age(obj, now), *containers_and_images(spec), selector or NONE]


def _cron_job(obj: Object, now: datetime) -> list[Any]:
    spec, status = spec_status(obj)
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    last = status.get("lastScheduleTime")
    return [
        name(obj),
        spec.get("schedule", ""),
        spec.get("timeZone", NONE),
        str(spec.get("suspend", _UNSET)),
        len(status.get("active") or []),
        since(last, now) if last else NONE,
        age(obj, now),
        *containers_and_images(job),
        format_label_selector(job.get("selector")),
    ]


def _ingress(obj: Object, now: datetime) -> list[Any]:
    spec, status = spec_status(obj)
    hosts = [rule["host"] for rule in spec.get("rules") or [] if rule.get("host")]
    more = f" + {len(hosts) - _HOSTS_SHOWN} more..." if len(hosts) > _HOSTS_SHOWN else ""
    ingress = (status.get("loadBalancer") or {}).get("ingress") or []
    return [
        name(obj),
        spec.get("ingressClassName", NONE),
        ",".join(hosts[:_HOSTS_SHOWN]) + more or "*",
        ",".join(item.get("ip") or item.get("hostname") or "" for item in ingress),
        "80, 443" if spec.get("tls") else "80",
        age(obj, now),
    ]


def _phase(obj: Object, status: Object) -> str:
    return "Terminating" if "deletionTimestamp" in obj["metadata"] else str(status.get("phase", ""))


def _modes(modes: list[str] | None) -> str:
    return ",".join(short for mode, short in _MODES.items() if mode in (modes or []))


def _claim(obj: Object, now: datetime) -> list[Any]:
    spec, status = spec_status(obj)
    bound = bool(spec.get("volumeName"))
    return [
        name(obj),
        _phase(obj, status),
        spec.get("volumeName", ""),
        (status.get("capacity") or {}).get("storage", "0") if bound else "",
        _modes(status.get("accessModes")) if bound else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName", _UNSET),
        age(obj, now),
        spec.get("volumeMode", _UNSET),
    ]


def _volume(obj: Object, now: datetime) -> list[Any]:
    spec, status = spec_status(obj)
    claim = spec.get("claimRef")
    return [
        name(obj),
        (spec.get("capacity") or {}).get("storage", "0"),
        _modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(obj, status),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName", _UNSET),
        status.get("reason", ""),
        age(obj, now),
        spec.get("volumeMode", _UNSET),
    ]


def _columns(struct: str, **fields: str) -> list[Column]:
    return [Column(title.replace("_", " "), f"{struct}.{field}") for title, field in fields.items()]


_CLAIM, _VOLUME = "V1PersistentVolumeClaimSpec", "V1PersistentVolumeSpec"
_PHASE = Column("Status", "V1PersistentVolumeStatus.phase")
_REPLICAS = "V1ReplicationControllerStatus"
PRINTERS = {
    "cronjobs": Printer(
        (
            NAME,
            *_columns("V1CronJobSpec", Schedule="schedule", Timezone="timeZone"),
            Column("Suspend", "V1CronJobSpec.suspend", "boolean"),
            Column("Active", "V1CronJobStatus.active", "integer"),
            *_columns("V1CronJobStatus", Last_Schedule="lastScheduleTime"),
            AGE,
            CONTAINERS,
            IMAGES,
            Column("Selector", "V1JobSpec.selector", priority=1),
        ),
        _cron_job,
    ),
    "ingresses": Printer(
        (
            NAME,
            Column("Class", "The name of the IngressClass resource that should be used."),
            Column("Hosts", "Hosts that incoming requests are matched against before the ingress rule"),
            Column("Address", "Address is a list containing ingress points for the load-balancer"),
            Column("Ports", "Ports of TLS configurations that open"),
            AGE,
        ),
        _ingress,
    ),
    "persistentvolumeclaims": Printer(
        (
            NAME,
            Column("Status", "V1PersistentVolumeClaimStatus.phase"),
            *_columns(_CLAIM, Volume="volumeName"),
            *_columns("V1PersistentVolumeClaimStatus", Capacity="capacity", Access_Modes="accessModes"),
            *_columns(_CLAIM, StorageClass="storageClassName"),
            *_columns(_CLAIM, VolumeAttributesClass="volumeAttributesClassName"),
            AGE,
            Column("VolumeMode", f"{_CLAIM}.volumeMode", priority=1),
        ),
        _claim,
    ),
    "persistentvolumes": Printer(
        (
            NAME,
            *_columns(_VOLUME, Capacity="capacity", Access_Modes="accessModes"),
            *_columns(_VOLUME, Reclaim_Policy="persistentVolumeReclaimPolicy"),
            _PHASE,
            *_columns(_VOLUME, Claim="claimRef", StorageClass="storageClassName"),
            *_columns(_VOLUME, VolumeAttributesClass="volumeAttributesClassName"),
            *_columns("V1PersistentVolumeStatus", Reason="reason"),
            AGE,
            Column("VolumeMode", f"{_VOLUME}.volumeMode", priority=1),
        ),
        _volume,
    ),
    "replicationcontrollers": Printer(
        (
            NAME,
            Column("Desired", "V1ReplicationControllerSpec.replicas", "integer"),
            Column("Current", f"{_REPLICAS}.replicas", "integer"),
            Column("Ready", f"{_REPLICAS}.readyReplicas", "integer"),
            AGE,
            CONTAINERS,
            IMAGES,
            Column("Selector", "V1ReplicationControllerSpec.selector", priority=1),
        ),
        _replication_controller,
    ),
}
