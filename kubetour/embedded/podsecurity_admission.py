"""The Pod Security Standards, which a namespace's labels `pod-security.kubernetes.io/…` ask for.

Controls and texts of k8s.io/pod-security-admission/policy, for Linux, as of the latest version.
https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kubetour.embedded.api import Object

PREFIX = "pod-security.kubernetes.io/"
ENFORCE, WARN = f"{PREFIX}enforce", f"{PREFIX}warn"
PRIVILEGED, BASELINE, RESTRICTED = "privileged", "baseline", "restricted"
_ADDABLE = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)
_VOLUMES = frozenset(
    (
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    )
)
_SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
    }
)
_SELINUX = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_SECCOMP = ("RuntimeDefault", "Localhost")
Control = Callable[[Object], str]  # of a PodSpec: what it violates, "" if nothing


def violations(level: str, pod: Object) -> list[str]:
    """Return what a Pod violates of a level, in the words of Kubernetes; nothing for a level there is not."""
    controls = {PRIVILEGED: (), BASELINE: _BASELINE, RESTRICTED: _RESTRICTED}.get(level, ())
    spec = pod.get("spec") or {}
    return [found for control in controls if (found := control(spec))]


def refusal(level: str, pod: Object) -> str:
    """Return why a Pod may not be in a namespace of that level; "" if it may."""
    found = violations(level, pod)
    return f'violates PodSecurity "{level}:latest": {", ".join(found)}' if found else ""


def would_violate(labels: Object, plural: str, obj: Object) -> str:
    """Return of what is warned in a namespace of these labels, of a Pod or of what makes Pods; "" of nothing.

    Who does not say at what level to warn is warned at the one that is enforced.
    """
    level = str(labels.get(WARN, labels.get(ENFORCE, "")))
    made: Any = obj
    for key in _TEMPLATES[plural]:
        made = made.get(key) or {}
    found = violations(level, made)
    return f'would violate PodSecurity "{level}:latest": {", ".join(found)}' if found else ""


# Where the kinds that are looked at have their Pods' template.
_TEMPLATES = {
    "cronjobs": ("spec", "jobTemplate", "spec", "template"),
    "pods": (),
    **dict.fromkeys(
        ("daemonsets", "deployments", "jobs", "replicasets", "replicationcontrollers", "statefulsets"),
        ("spec", "template"),
    ),
}
WARNED = frozenset(_TEMPLATES)


def _containers(spec: Object) -> Iterator[Object]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(field) or []


def _context(of: Object) -> Object:
    found: Object = of.get("securityContext") or {}
    return found


def _named(names: list[str]) -> str:
    listed = ", ".join(f'"{name}"' for name in names)
    return f"containers {listed}" if len(names) > 1 else f"container {listed}"


def _where(spec: Object, is_bad: Callable[[Object], bool]) -> list[str]:
    return [str(container.get("name", "")) for container in _containers(spec) if is_bad(container)]


def _each(title: str, must: str, is_bad: Callable[[Object], bool]) -> Control:
    """Return a control of each container by itself."""

    def control(spec: Object) -> str:
        names = _where(spec, is_bad)
        return f"{title} ({_named(names)} must {must})" if names else ""

    return control


def _inherited(spec: Object, field: str, is_good: Callable[[Any], bool]) -> list[str] | None:
    """Return the containers without a good value of a field, theirs or the Pod's; None: the Pod's is bad."""
    whole = _context(spec).get(field)
    if whole is not None and not is_good(whole):
        return None
    return _where(
        spec,
        lambda one: not is_good(whole if _context(one).get(field) is None else _context(one)[field]),
    )


def _host_namespaces(spec: Object) -> str:
    set_ = [f"{field}=true" for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    return f"host namespaces ({', '.join(set_)})" if set_ else ""


def _host_path(spec: Object) -> str:
    names = [f'"{volume.get("name", "")}"' for volume in spec.get("volumes") or [] if "hostPath" in volume]
    return f"hostPath volumes (volume{'s' * (len(names) > 1)} {', '.join(names)})" if names else ""


def _volumes(spec: Object) -> str:
    bad = {
        str(volume.get("name", "")): kind
        for volume in spec.get("volumes") or []
        for kind in volume
        if kind != "name" and kind not in _VOLUMES
    }
    listed = ", ".join(f'volume "{name}" uses restricted volume type "{kind}"' for name, kind in bad.items())
    return f"restricted volume types ({listed})" if bad else ""


def _host_ports(spec: Object) -> str:
    names = _where(spec, lambda one: any(port.get("hostPort") for port in one.get("ports") or []))
    return f"hostPort ({_named(names)} uses a hostPort)" if names else ""


def _added(container: Object) -> set[str]:
    return set((_context(container).get("capabilities") or {}).get("add") or [])


def _undropped(container: Object) -> bool:
    dropped = (_context(container).get("capabilities") or {}).get("drop") or []
    return "ALL" not in dropped or bool(_added(container) - {"NET_BIND_SERVICE"})


def _sysctls(spec: Object) -> str:
    names = [str(one.get("name", "")) for one in _context(spec).get("sysctls") or []]
    bad = [name for name in names if name not in _SYSCTLS]
    return f"forbidden sysctls ({', '.join(bad)})" if bad else ""


def _selinux(spec: Object) -> str:
    every = [_context(spec), *map(_context, _containers(spec))]
    options = [context.get("seLinuxOptions") or {} for context in every]
    bad = any(o.get("type", "") not in _SELINUX or o.get("user") or o.get("role") for o in options)
    return "seLinuxOptions (type, user or role is set)" if bad else ""


def _apparmor(spec: Object) -> str:
    every = [_context(spec), *map(_context, _containers(spec))]
    bad = any((context.get("appArmorProfile") or {}).get("type") == "Unconfined" for context in every)
    return 'forbidden AppArmor profile (must not be set to "Unconfined")' if bad else ""


def _confined(spec: Object) -> str:
    every = [_context(spec), *map(_context, _containers(spec))]
    bad = any((context.get("seccompProfile") or {}).get("type") == "Unconfined" for context in every)
    return 'seccompProfile (must not set securityContext.seccompProfile.type to "Unconfined")' if bad else ""


def _seccomp(spec: Object) -> str:
    names = _inherited(spec, "seccompProfile", lambda found: (found or {}).get("type") in _SECCOMP)
    must = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    if names is None:
        return f"seccompProfile (pod {must})"
    return f"seccompProfile (pod or {_named(names)} {must})" if names else ""


def _non_root(spec: Object) -> str:
    names = _inherited(spec, "runAsNonRoot", lambda found: found is True)
    must = "must set securityContext.runAsNonRoot=true"
    if names is None:
        return "runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)"
    return f"runAsNonRoot != true (pod or {_named(names)} {must})" if names else ""


def _root_user(spec: Object) -> str:
    who = ["pod"] if _context(spec).get("runAsUser") == 0 else []
    names = _where(spec, lambda one: _context(one).get("runAsUser") == 0)
    who += [_named(names)] if names else []
    return f"runAsUser=0 ({' and '.join(who)} must not set runAsUser=0)" if who else ""


_PRIVILEGED = _each(
    "privileged", "not set securityContext.privileged=true", lambda one: bool(_context(one).get("privileged"))
)
_PROC_MOUNT = _each(
    "procMount",
    "not set securityContext.procMount",
    lambda one: _context(one).get("procMount") not in (None, "Default"),
)
_COMMON = (_apparmor, _host_namespaces, _host_ports, _PRIVILEGED, _PROC_MOUNT, _selinux, _sysctls)
_BASELINE: tuple[Control, ...] = (
    *_COMMON,
    _each("non-default capabilities", "not add them", lambda one: bool(_added(one) - _ADDABLE)),
    _host_path,
    _confined,
)
_RESTRICTED: tuple[Control, ...] = (
    *_COMMON,
    _each(
        "allowPrivilegeEscalation != false",
        "set securityContext.allowPrivilegeEscalation=false",
        lambda one: _context(one).get("allowPrivilegeEscalation") is not False,
    ),
    _each("unrestricted capabilities", 'set securityContext.capabilities.drop=["ALL"]', _undropped),
    _volumes,
    _non_root,
    _root_user,
    _seccomp,
)
