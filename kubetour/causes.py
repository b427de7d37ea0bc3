"""Why a command or a workload failed, as far as what it says gives it away."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kubetour.checks import Object, Result
from kubetour.dialects import remedies
from kubetour.errors import (
    ClusterError,
    DeadlineError,
    EngineError,
    KubetourError,
    RefusedError,
    ResourceError,
)
from kubetour.proofs.xray import xray
from kubetour.text import Text

TAIL = 15  # lines of evidence
FORBIDDEN = 403

# What a tool prints, the key of the error that explains it, and its family. The first match counts.
KNOWN: tuple[tuple[str, str, type[KubetourError]], ...] = (
    # minikube names its reasons: https://minikube.sigs.k8s.io/docs/contrib/errorcodes/
    (r"RSRC_\w*(MEMORY|CORES|ALLOC_MEM)\b", "minikube-small", ResourceError),
    (r"(PROVIDER|DRV)_(DOCKER|PODMAN)_", "minikube-engine", EngineError),
    (r"GUEST_DRIVER_MISMATCH", "minikube-other-driver", RefusedError),
    (
        r"Profile \S+ not found|control-plane node \S+ host (is not running|does not exist)",
        "cluster-down",
        ClusterError,
    ),
    (
        r"permission denied.*(docker daemon|docker\.sock)|dial unix .*permission denied"
        r"|containerd socket .*permission denied",
        "engine-permission",
        EngineError,
    ),
    (
        r"cannot connect to the docker daemon|is the docker daemon running"
        r"|(cannot|unable to) connect to podman"
        r"|cannot access containerd socket|rootless containerd not running",
        "engine-daemon",
        EngineError,
    ),
    (r"RUN: cannot be done by the embedded cluster", "embedded-run", EngineError),
    (r"`buildctl` needs to be installed", "builder-absent", EngineError),
    (r"rootless provider requires", "kind-rootless", EngineError),
    (r"node\(s\) already exist for a cluster|already exists: cluster", "cluster-exists", RefusedError),
    (r"name \S+ is already (in use|used) by", "name-taken", RefusedError),
    (r"executable file (`\S+` )?not found in \$PATH", "program-absent", EngineError),
    (r"no space left on device|RSRC_\w*STORAGE", "disk-full", ResourceError),
    (r"port is already allocated|address already in use", "port-busy", ResourceError),
    (r"short-name \S+ did not resolve|short-name resolution enforced", "short-name", EngineError),
    (r"content digest sha256:\S+ not found", "digest-missing", EngineError),
    (r"toomanyrequests|pull rate limit", "pull-limit", EngineError),
    (
        r"connection to the server .* was refused|unable to connect to the server",
        "cluster-down",
        ClusterError,
    ),
    (
        r"no such host|failed to pull image|pull access denied|failed to resolve source metadata",
        "pull-failed",
        EngineError,
    ),
    (r"no such image \S+ present", "image-not-there", EngineError),
    # Of a registry, after what else may say the same of a server or of an image that is only pulled.
    (r"server gave HTTP response to HTTPS client", "registry-http", EngineError),
    (r"x509: ", "registry-ca", EngineError),
    (
        r"no basic auth credentials|unauthorized: |authentication required|requested access .* is denied",
        "registry-auth",
        EngineError,
    ),
    (r"too many open files", "inotify", ResourceError),
    # kind warns of cgroup v1 whatever fails: it is the cause only where the kubelet does not start.
    (
        r"not run on a host using cgroup v1|cgroup v1 is deprecated[\s\S]*kubelet is not (running|healthy)",
        "cgroup-v1",
        EngineError,
    ),
    (
        r"context .* does not exist|no context exists|cannot locate context|stat \S+kubeconfig: no such file",
        "context-unknown",
        ClusterError,
    ),
    (r"timed out waiting|exceeded its progress deadline", "rollout-late", DeadlineError),
    (r"\(NotFound\)|no objects passed to", "object-missing", ClusterError),
    (r"\(Forbidden\)", "forbidden", ClusterError),
)


def command_failed(text: str, program: str, result: Result) -> KubetourError:
    """Return the error for a command that ended with an exit status other than 0."""
    # On a node of minikube's there is a terminal, so that a program's errors are on stdout, too.
    stderr = re.sub(r"(?m)^ssh: Process exited with status \d+$", "", result.stderr)
    said = (stderr.strip() or result.stdout.strip()).splitlines()
    evidence = "\n".join(said[-TAIL:])
    for pattern, key, family in KNOWN:
        if re.search(pattern, result.stderr + result.stdout, re.IGNORECASE):
            values = {"command": text, "program": program, "registry": _registry(result)}
            return family(key, evidence=evidence, **values, **remedies(program, evidence))
    family = ClusterError if program == "kubectl" else EngineError
    return family("command-failed", evidence=evidence, command=text, program=program, status=result.status)


def _registry(result: Result) -> str:
    """Return the registry that a push or pull spoke of; HOST where it named none."""
    spoken = r"refers to repository \[([^]/]+)/|https?://([^/\s\"]+)/v2/"
    found = re.search(spoken, result.stderr + result.stdout)
    return (found[1] or found[2]) if found else "HOST"


def unanswered(error: KubetourError) -> bool:
    """Return whether a command failed only because the engine did not answer: then it says nothing else."""
    return error.key in ("engine-daemon", "engine-permission")


def forbidden(error: KubetourError) -> bool:
    """Return whether this user may not do this, as kubectl or the API server itself says."""
    return error.key == "forbidden" or error.values.get("status") == FORBIDDEN


# What an app writes before it ends, and the key of the cause that it gives away.
LOGGED = (
    (r"address already in use|EADDRINUSE|errno 98\b", "cause.address"),
    (r"permission denied|operation not permitted|read-only file system|EACCES|EPERM|EROFS", "cause.denied"),
)


def crashed(objects: Mapping[str, tuple[Object, ...]]) -> tuple[str, ...]:
    """Return the Pods whose container has ended by itself: their logs may tell why."""
    return tuple(
        str(pod["metadata"]["name"])
        for pod in objects.get("pods", ())
        if any(
            state.get("terminated")
            for container in pod.get("status", {}).get("containerStatuses") or ()
            for state in (container.get("state", {}), container.get("lastState", {}))
        )
    )


def diagnose(
    objects: Mapping[str, tuple[Object, ...]], logs: Mapping[str, str] | None = None
) -> tuple[Text, ...]:
    """Return what stands in the way of Pods, the likeliest cause first, and of Services to find them.

    `logs` are those of Pods that have crashed.
    """
    told = {name: cause for name, log in (logs or {}).items() if (cause := _logged(name, log))}
    found = list(told.values())
    for pod in objects.get("pods", ()):
        name, status = pod["metadata"]["name"], pod.get("status", {})
        for container in status.get("containerStatuses") or ():
            cause = _of_container(name, container)
            if cause and (cause.key != "cause.crash" or name not in told):
                found.append(cause)
        for condition in status.get("conditions") or ():
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                found.append(Text("cause.unscheduled", {"pod": name, "reason": condition.get("message", "")}))
    for node in objects.get("nodes", ()):
        ready = next((c for c in node["status"].get("conditions", ()) if c["type"] == "Ready"), None)
        if ready and ready["status"] != "True":
            found.append(
                Text("cause.node", {"node": node["metadata"]["name"], "reason": ready.get("message", "")})
            )
    rank = [
        "cause.image",
        "cause.memory",
        "cause.address",
        "cause.denied",
        "cause.crash",
        "cause.unscheduled",
        "cause.node",
        "cause.probe",
    ]
    found.sort(key=lambda item: rank.index(item.key))
    for service in objects.get("services", ()):
        found += xray(service, objects.get("pods", ())).texts()
    return tuple(found)


def _logged(pod: str, log: str) -> Text | None:
    """Return what a crashed Pod's log gives away, with the line that does."""
    for pattern, key in LOGGED:
        if found := re.search(rf"(?im)^.*(?:{pattern}).*$", log):
            return Text(key, {"pod": pod, "line": found[0].strip()[:200]})
    return None


def _of_container(pod: str, container: Mapping[str, Any]) -> Text | None:
    """Return what a container's state says is wrong with it, if something is."""
    state = container.get("state", {})
    ended = container.get("lastState", {}).get("terminated") or {}
    reason = (state.get("waiting") or {}).get("reason", "")
    if "OOMKilled" in (ended.get("reason"), (state.get("terminated") or {}).get("reason")):
        return Text("cause.memory", {"pod": pod})
    if reason in ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"):
        return Text("cause.image", {"pod": pod, "reason": reason, "image": container["image"]})
    if reason in ("CrashLoopBackOff", "RunContainerError", "CreateContainerConfigError"):
        return Text("cause.crash", {"pod": pod, "reason": reason, "code": ended.get("exitCode", "?")})
    if state.get("running") and not container.get("ready"):
        return Text("cause.probe", {"pod": pod})
    return None


def warnings(objects: Mapping[str, tuple[Object, ...]]) -> tuple[str, ...]:
    """Return the cluster's own warnings, newest last, each in one line."""
    told = [e for e in objects.get("events", ()) if e.get("type") == "Warning"]
    told.sort(key=lambda e: str(e.get("lastTimestamp") or e["metadata"]["creationTimestamp"]))
    lines = (f"{e['involvedObject'].get('name', '?')}: {e['reason']}: {e.get('message', '')}" for e in told)
    return tuple(dict.fromkeys(lines))[-5:]
