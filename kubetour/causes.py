"""Why a command failed, as far as what it says gives it away."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kubetour.checks import TIMED_OUT, Result
from kubetour.dialects import remedies
from kubetour.errors import (
    SHORT_WORDS,
    ClusterError,
    DeadlineError,
    EngineError,
    KubetourError,
    RefusedError,
    ResourceError,
    Told,
)

TAIL = 15  # lines of evidence
WIDEST = 2000  # characters of such a line
LAST = 1_000_000  # characters, at the end of an output, in which a cause is looked for
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
        r"|error during connect: |(cannot|unable to) connect to podman"
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
    (r"no such container", "container-gone", EngineError),
    # Of a registry, after what else may say the same of a server or of an image that is only pulled.
    (r"server gave HTTP response to HTTPS client", "registry-http", EngineError),
    (r"x509: ", "registry-ca", EngineError),
    (
        r"no basic auth credentials|unauthorized: |authentication required|requested access .* is denied",
        "registry-auth",
        EngineError,
    ),
    (r"too many open files", "inotify", ResourceError),
    (
        SHORT_WORDS,
        "machine-short",
        ResourceError,
    ),
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
# What means something else where kubectl says it: of the API server, and of no engine and no registry.
OF_KUBECTL: tuple[tuple[str, str, type[KubetourError]], ...] = (
    (r"x509: |tls: failed to verify certificate", "cluster-untrusted", ClusterError),
    (
        r"asked for the client to provide credentials|must be logged in to the server",
        "unauthorized",
        ClusterError,
    ),
    (r"exceeded quota|failed quota", "over-quota", ClusterError),
    (
        r"no such host|connection refused|no route to host|network is unreachable",
        "cluster-down",
        ClusterError,
    ),
    (
        r"connection reset by peer|\bEOF\b|TLS handshake timeout|i/o timeout|awaiting headers"
        r"|\((InternalError|ServiceUnavailable|TooManyRequests|Timeout|ServerTimeout)\)"
        r"|an error on the server|json parse error|unexpected end of JSON",
        "cluster-unsteady",
        ClusterError,
    ),
)


def command_failed(text: str, program: str, result: Result) -> KubetourError:
    """Return the error for a command that ended with an exit status other than 0."""
    # On a node of minikube's there is a terminal, so that a program's errors are on stdout, too.
    stderr = re.sub(r"(?m)^ssh: Process exited with status \d+$", "", result.stderr)
    said = (stderr.strip() or result.stdout.strip()).splitlines()
    evidence = "\n".join(line[:WIDEST] for line in said[-TAIL:])
    if result.status == TIMED_OUT:
        values = {"command": _first_line(text), "seconds": round(result.seconds)}
        return DeadlineError("command-late", evidence=evidence, **values)
    values = {"command": _first_line(text), "program": program, "registry": _registry(result)}
    told = {**values, **remedies(program, evidence)}
    known = _explain(OF_KUBECTL, result, evidence, told) if program == "kubectl" else None
    if known := known or _explain(KNOWN, result, evidence, told):
        return known
    family = ClusterError if program == "kubectl" else EngineError
    told = {"command": _first_line(text), "program": program, "status": result.status}
    return family("command-failed", evidence=evidence, **told)


def _explain(
    table: tuple[tuple[str, str, type[KubetourError]], ...],
    result: Result,
    evidence: str,
    values: Mapping[str, Any],
) -> KubetourError | None:
    """Return the first error of a table that what was printed gives away."""
    said = result.stderr[-LAST:] + result.stdout[-LAST:]
    for pattern, key, family in table:
        if found := re.search(pattern, said, re.IGNORECASE):
            return family(key, evidence=evidence, reason=found[0], **values)
    return None


def _first_line(text: str) -> str:
    """Return a command without what is handed to it: that may be a whole manifest."""
    first, more, _ = text.partition("\n")
    return f"{first} …" if more else first


def _registry(result: Result) -> str:
    """Return the registry that a push or pull spoke of; HOST where it named none."""
    spoken = r"refers to repository \[([^]/]+)/|https?://([^/\s\"]+)/v2/"
    found = re.search(spoken, result.stderr + result.stdout)
    return (found[1] or found[2]) if found else "HOST"


def unanswered(error: KubetourError) -> bool:
    """Return whether a command failed only because the engine did not answer: then it says nothing else."""
    return error.key in ("engine-daemon", "engine-permission")


def forbidden(error: Told) -> bool:
    """Return whether this user may not do this, as kubectl or the API server itself says."""
    return error.key == "forbidden" or error.values.get("status") == FORBIDDEN
