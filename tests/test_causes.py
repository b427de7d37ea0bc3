"""Why a command failed: from what the real tools say."""

from __future__ import annotations

import pytest

from kubetour.causes import TAIL, command_failed, forbidden
from kubetour.checks import TIMED_OUT, Result
from kubetour.errors import ClusterError, KubetourError

# What docker 20.10 to 29, podman 4.3, nerdctl 2.1, kind v0.33, minikube v1.38 and kubectl v1.36 print.
SAID: list[tuple[str, str, int]] = [
    (
        "X Exiting due to RSRC_INSUFFICIENT_CONTAINER_MEMORY: docker only has 975MiB available, less "
        "than the required 1800MiB for Kubernetes",
        "minikube-small",
        10,
    ),
    (
        "X Exiting due to RSRC_INSUFFICIENT_CORES: Requested cpu count 2 is greater than the "
        "available cpus of 1",
        "minikube-small",
        10,
    ),
    (
        "X Exiting due to RSRC_OVER_ALLOC_MEM: Requested memory allocation 3900MB is more than your system "
        "limit 2000MB.",
        "minikube-small",
        10,
    ),
    (
        "X Exiting due to RSRC_DOCKER_STORAGE: Docker is out of disk space! (/var is at 100% of capacity).",
        "disk-full",
        10,
    ),
    (
        'X Exiting due to PROVIDER_DOCKER_NOT_RUNNING: "docker version --format <no value>-<no value>" exit '
        "status 1: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon "
        "running?",
        "minikube-engine",
        4,
    ),
    (
        "X Exiting due to DRV_DOCKER_NOT_RUNNING: Found docker, but the docker service isn't running. Try "
        "restarting the docker service.",
        "minikube-engine",
        4,
    ),
    (
        'X Exiting due to GUEST_DRIVER_MISMATCH: The existing "mine" cluster was created using the "kvm2" '
        'driver, which is incompatible with requested "docker" driver.',
        "minikube-other-driver",
        9,
    ),
    ('* Profile "mine" not found. Run "minikube profile list" to view all profiles.', "cluster-down", 5),
    ("* The control-plane node mine host is not running: state=Stopped", "cluster-down", 5),
    ('FATA[0000] no such image "docker.io/library/web:1" present', "image-not-there", 4),
    ("Error response from daemon: No such container: web", "container-gone", 4),
    ('Error: no container with name or ID "web" found: no such container', "container-gone", 4),
    ("ERROR: no such container: web; `ps -a` lists them", "container-gone", 4),
    (
        "ERROR: ../shop/Dockerfile:3: RUN: cannot be done by the embedded cluster: it isolates nothing",
        "embedded-run",
        4,
    ),
    (
        "permission denied while trying to connect to the Docker daemon socket at "
        'unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.47/info": dial unix '
        "/var/run/docker.sock: connect: permission denied",
        "engine-permission",
        4,
    ),
    (
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        "engine-daemon",
        4,
    ),
    (
        "Cannot connect to Podman. Please verify your connection to the Linux system using `podman system "
        "connection list`, or try `podman machine init` and `podman machine start` to manage a new Linux VM",
        "engine-daemon",
        4,
    ),
    (
        'Error: unable to connect to Podman socket: Get "http://d/v4.3.1/libpod/_ping": dial unix '
        "/nowhere/podman.sock: connect: no such file or directory",
        "engine-daemon",
        4,
    ),
    (
        'time="2026-11-25T21:00:00Z" level=fatal msg="rootless containerd not running? (hint: use '
        "`containerd-rootless-setuptool.sh install` to start rootless containerd): stat "
        '/run/user/1000/containerd-rootless: no such file or directory"',
        "engine-daemon",
        4,
    ),
    (
        'level=fatal msg="cannot access containerd socket \\"/run/containerd/containerd.sock\\": no such '
        'file or directory"',
        "engine-daemon",
        4,
    ),
    (
        "ERROR: failed to create cluster: running kind with rootless provider requires setting systemd "
        'property "Delegate=yes", see https://kind.sigs.k8s.io/docs/user/rootless/',
        "kind-rootless",
        4,
    ),
    (
        'level=fatal msg="`buildctl` needs to be installed and `buildkitd` needs to be running, see '
        'https://github.com/moby/buildkit"',
        "builder-absent",
        4,
    ),
    (
        'Error: creating build container: short-name "node:24-alpine" did not resolve to an alias and no '
        'unqualified-search registries are defined in "/etc/containers/registries.conf"',
        "short-name",
        4,
    ),
    (
        "Error: cannot listen on the TCP port: listen tcp4 127.0.0.1:18555: bind: address already in use",
        "port-busy",
        10,
    ),
    (
        'ERROR: failed to create cluster: node(s) already exist for a cluster with the name "tour"',
        "cluster-exists",
        9,
    ),
    (
        "write /var/lib/docker/tmp/docker-import-1/layer.tar: no space left on device",
        "disk-full",
        10,
    ),
    (
        "docker: Error response from daemon: driver failed programming external connectivity on endpoint "
        "tour2-control-plane (bc78173aa0d2): Bind for 127.0.0.1:18080 failed: port is already allocated",
        "port-busy",
        10,
    ),
    (
        "Error response from daemon: failed to bind host port for 127.0.0.1:8080: listen tcp 127.0.0.1:8080: "
        "bind: address already in use",
        "port-busy",
        10,
    ),
    (
        'ERROR: failed to load image: command "docker exec --privileged -i kind-control-plane ctr '
        '--namespace=k8s.io images import --all-platforms --digests --snapshotter=overlayfs -" failed with '
        "error: exit status 1\nctr: content digest sha256:6457d53fb065d6f250e1504b9bc42d5b6c65941d57532c0"
        "72d929dd0628977d0: not found",
        "digest-missing",
        4,
    ),
    (
        'docker: Error response from daemon: Conflict. The container name "/web" is already in use by '
        'container "0f2e". You have to remove (or rename) that container to be able to reuse that name.',
        "name-taken",
        9,
    ),
    (
        'Error: creating container storage: the container name "web" is already in use by 0f2e. You have to '
        "remove that container to be able to reuse that name: that name is already in use",
        "name-taken",
        9,
    ),
    (
        "docker: Error response from daemon: OCI runtime create failed: runc create failed: unable to start "
        'container process: exec: "sleep": executable file not found in $PATH: unknown',
        "program-absent",
        4,
    ),
    (
        "Error: runc: runc create failed: unable to start container process: exec: "
        "executable file `sleep` not found in $PATH: No such file or directory",
        "program-absent",
        4,
    ),
    ('time="2026" level=fatal msg="name \\"web\\" is already used by ID \\"0f2e\\""', "name-taken", 9),
    (
        "toomanyrequests: You have reached your unauthenticated pull rate limit. "
        "https://www.docker.com/increase-rate-limit",
        "pull-limit",
        4,
    ),
    (
        'ERROR: failed to create cluster: failed to pull image "no/such:1": command "docker pull no/such:1" '
        "failed with error: exit status 1\n\nCommand Output: Error response from daemon: Get "
        '"https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host',
        "pull-failed",
        4,
    ),
    (
        "ERROR: failed to solve: node:24-alpine: failed to resolve source metadata for "
        "docker.io/library/node:24-alpine: failed to do request",
        "pull-failed",
        4,
    ),
    (
        "Error response from daemon: pull access denied for nope, repository does not exist or may require "
        "'docker login': denied: requested access to the resource is denied",
        "pull-failed",
        4,
    ),
    (
        'Error response from daemon: Get "https://registry.example:5000/v2/": http: server gave HTTP '
        "response to HTTPS client",
        "registry-http",
        4,
    ),
    (
        'Error response from daemon: Get "https://registry.example:5000/v2/": x509: certificate signed by '
        "unknown authority",
        "registry-ca",
        4,
    ),
    (
        "trying to reuse blob sha256:1 at destination: pinging container registry registry.example:5000: Get "
        '"https://registry.example:5000/v2/": tls: failed to verify certificate: x509: certificate signed by '
        "unknown authority",
        "registry-ca",
        4,
    ),
    (
        "The push refers to repository [registry.example:5000/team/web]\nno basic auth credentials",
        "registry-auth",
        4,
    ),
    ("denied: requested access to the resource is denied", "registry-auth", 4),
    ("unauthorized: authentication required", "registry-auth", 4),
    (
        "Unable to connect to the server: x509: certificate signed by unknown authority",
        "cluster-down",
        5,
    ),
    ("Failed to create inotify object: Too many open files", "inotify", 10),
    ("runtime: failed to create new OS thread: Resource temporarily unavailable", "machine-short", 10),
    (
        "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?",
        "cluster-down",
        5,
    ),
    (
        "Unable to connect to the server: dial tcp: lookup cluster.example on 10.0.0.2:53: no such host",
        "cluster-down",
        5,
    ),
    ("Unable to connect to the server: net/http: TLS handshake timeout", "cluster-down", 5),
    ('error: context "nope" does not exist', "context-unknown", 5),
    ('error: no context exists with the name: "nope"', "context-unknown", 5),
    ("error: cannot locate context nope", "context-unknown", 5),
    ("error: timed out waiting for the condition", "rollout-late", 6),
    ('error: deployment "web" exceeded its progress deadline', "rollout-late", 6),
    ('Error from server (NotFound): deployments.apps "nope" not found', "object-missing", 5),
    (
        'Error from server (Forbidden): pods is forbidden: User "me" cannot list resource "pods" in API '
        'group "" in the namespace "default"',
        "forbidden",
        5,
    ),
    (
        "failed to validate kubelet configuration, error: kubelet is configured to not run on a host using "
        "cgroup v1",
        "cgroup-v1",
        4,
    ),
    (  # two lines of kind's and kubeadm's, as their sources have them: no recording has both
        "WARNING: cgroup v1 is deprecated in Kubernetes and will not be supported in a future kind release, "
        "please upgrade to cgroup v2\nERROR: failed to create cluster: failed to init node with kubeadm\n"
        "This error is likely caused by:\n\t- The kubelet is not running",
        "cgroup-v1",
        4,
    ),
]


# What kubectl 1.32 says of an API server, or of what is between, that does not do as it should.
OF_AN_API_SERVER = [
    ("error: You must be logged in to the server (Unauthorized)", "unauthorized"),
    (
        'error: error validating "STDIN": error validating data: failed to download openapi: the server has '
        "asked for the client to provide credentials",
        "unauthorized",
    ),
    (
        "Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by "
        "unknown authority",
        "cluster-untrusted",
    ),
    (
        'Error from server (Forbidden): error when creating "STDIN": deployments.apps "web" is forbidden: '
        "exceeded quota: team, requested: count/deployments.apps=1",
        "over-quota",
    ),
    (
        'error: failed to download openapi: Get "https://a.invalid:6443/openapi/v2?timeout=32s": dial tcp: '
        "lookup a.invalid: no such host",
        "cluster-down",
    ),
    ("Unable to connect to the server: net/http: TLS handshake timeout", "cluster-unsteady"),
    ("Unable to connect to the server: EOF", "cluster-unsteady"),
    ("Error from server (InternalError): etcdserver: leader changed", "cluster-unsteady"),
    ("error: couldn't get version/kind; json parse error: unexpected end of JSON input", "cluster-unsteady"),
]


@pytest.mark.parametrize(("said", "key"), OF_AN_API_SERVER)
def test_what_kubectl_says_is_said_of_the_api_server(said: str, key: str) -> None:
    error = command_failed("kubectl get pods", "kubectl", Result(1, stderr=said))
    assert (error.key, error.exit_status) == (key, 5)
    assert command_failed("docker push", "docker", Result(1, stderr=said)).key != key or key == "cluster-down"


def test_a_command_that_was_ended_is_late_and_its_manifest_is_not_told_again() -> None:
    text = "kubectl apply -f - <<'EOF'\nkind: Pod\nEOF"
    error = command_failed(text, "kubectl", Result(TIMED_OUT, "", "", 185.2))
    assert (error.key, error.exit_status) == ("command-late", 6)
    assert error.values == {"command": "kubectl apply -f - <<'EOF' …", "seconds": 185}


@pytest.mark.parametrize(
    ("said", "key", "status"), SAID, ids=[f"{key}-{n}" for n, (_, key, _) in enumerate(SAID)]
)
@pytest.mark.parametrize("is_error", [True, False], ids=["stderr", "stdout"])
def test_what_a_tool_says_gives_its_cause_away(said: str, key: str, status: int, is_error: bool) -> None:
    result = Result(1, "", said) if is_error else Result(1, said)
    error = command_failed("the command", "kind", result)
    assert error.key == key
    assert error.exit_status == status
    assert error.evidence == said
    for language in ("en", "zh"):
        assert all(error.explain(language))


def test_the_evidence_of_a_minikube_node_is_what_its_terminal_showed() -> None:
    shown = 'FATA[0000] no such image "docker.io/library/web:1" present\r\n'
    error = command_failed(
        "minikube ssh", "minikube", Result(1, shown, "ssh: Process exited with status 1\n")
    )
    assert error.key == "image-not-there"
    assert error.evidence == shown.strip()


@pytest.mark.parametrize(
    ("program", "status"), [("kubectl", 5), ("docker", 4), ("kind", 4), ("curl", 4), ("python", 4)]
)
def test_an_unknown_failure_tells_command_and_exit_status(program: str, status: int) -> None:
    error = command_failed(f"{program} --x", program, Result(3, stderr="strange\n"))
    assert error.key == "command-failed"
    assert error.exit_status == status
    assert error.values == {"command": f"{program} --x", "program": program, "status": 3}


@pytest.mark.parametrize(
    "said",
    [
        "Unable: client rate limiter Wait returned an error: context deadline exceeded",
        'ERROR: image: "x" not present locally',
        "error: resource(s) were provided, but no name was specified",
        "WARNING: cgroup v1 is deprecated in Kubernetes\nERROR: failed to create cluster: invalid subnet",
    ],
)
def test_what_is_only_alike_is_not_taken_for_it(said: str) -> None:
    assert command_failed("x", "kubectl", Result(1, stderr=said)).key == "command-failed"


@pytest.mark.parametrize(
    ("result", "evidence"),
    [
        (Result(1, "out", "err"), "err"),
        (Result(1, "out", " \n"), "out"),
        (Result(1), ""),
        (Result(1, "", "\n".join(map(str, range(100)))), "\n".join(map(str, range(100 - TAIL, 100)))),
    ],
    ids=["stderr first", "else stdout", "nothing", "the tail"],
)
def test_evidence_is_the_end_of_what_was_said(result: Result, evidence: str) -> None:
    assert command_failed("x", "kubectl", result).evidence == evidence


def test_every_known_pattern_has_a_text_that_was_really_said() -> None:
    from kubetour.causes import KNOWN

    assert not {key for _, key, _ in KNOWN} - {key for _, key, _ in SAID}
    assert all(issubclass(family, KubetourError) for _, _, family in KNOWN)


@pytest.mark.parametrize(
    ("said", "registry"),
    [
        (
            'Get "https://127.0.0.1:5000/v2/": http: server gave HTTP response to HTTPS client',
            "127.0.0.1:5000",
        ),
        ("The push refers to repository [r.example/team/web]\nno basic auth credentials", "r.example"),
        ("unauthorized: authentication required", "HOST"),
    ],
)
def test_a_registrys_failure_names_the_registry_and_the_program_in_what_to_type(
    said: str, registry: str
) -> None:
    for program in ("docker", "podman"):
        error = command_failed(f"{program} push x", program, Result(1, said))
        for language in ("en", "zh"):
            cause, fix = error.explain(language)
            assert registry in cause
            assert registry in fix
            assert program in cause + fix


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ClusterError("forbidden"), True),
        (ClusterError("cluster-refused", path="/api/v1/nodes", status=403, reason="no"), True),
        (ClusterError("cluster-refused", path="/api/v1/nodes", status=401, reason="who?"), False),
        (ClusterError("cluster-down"), False),
    ],
)
def test_what_is_forbidden_is_told_from_what_is_broken(error: KubetourError, expected: bool) -> None:
    assert forbidden(error) is expected


def test_a_line_of_ten_megabytes_is_no_evidence_that_anybody_reads() -> None:
    from kubetour.causes import WIDEST

    assert len(command_failed("x", "kubectl", Result(1, "x" * 10_000_000)).evidence) == WIDEST
