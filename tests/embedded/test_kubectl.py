"""The real kubectl, every version found, against the API server in this process (controllers left out)."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kubetour.embedded.clock import SystemClock
from kubetour.embedded.registry import Registry
from tests.embedded.serving import Cluster, serving


def kubectls() -> list[str]:
    """Return the kubectl on PATH and the ones of other versions beside it (kubectl.1.27…)."""
    found = shutil.which("kubectl")
    if not found:
        return []
    beside = sorted(Path(found).resolve().parent.glob("kubectl.1.[0-9]*"))
    # The oldest and the newest stand for those between: kubectl speaks protobuf since 1.32.
    return [str(path) for path in (beside[:1] + beside[-1:])] or [found]


pytestmark = pytest.mark.skipif(not kubectls(), reason="there is no kubectl on PATH")

MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: %(replicas)s
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: node-hostname:1.0
        ports: [{containerPort: 8080}]
        env: [%(env)s]
        resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 64Mi}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}
"""


@dataclass
class Result:
    code: int
    out: str
    err: str


class Kubectl:
    """Runs one kubectl with a home and a kubeconfig of its own."""

    def __init__(self, program: str, cluster: Cluster, home: Path) -> None:
        self.program, self.cluster, self.home = program, cluster, home
        self.registry: Registry = cluster.registry

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            self.program,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"HOME": str(self.home), "KUBECONFIG": str(self.cluster.kubeconfig), "PATH": "/usr/bin:/bin"},
        )

    async def __call__(self, *arguments: str, stdin: str = "") -> Result:
        process = await self.start(*arguments)
        out, err = await process.communicate(stdin.encode())
        return Result(process.returncode or 0, out.decode(), err.decode())

    async def ok(self, *arguments: str, stdin: str = "") -> str:
        result = await self(*arguments, stdin=stdin)
        assert result.code == 0, (arguments, result.err)
        return result.out


Run = Callable[[Callable[[Kubectl], Awaitable[Any]]], Any]


@pytest.fixture(params=kubectls(), ids=lambda path: Path(path).name)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    def run_scenario(scenario: Callable[[Kubectl], Awaitable[Any]]) -> Any:
        async def serve() -> Any:
            async with serving(tmp_path, SystemClock()) as cluster:
                return await scenario(Kubectl(request.param, cluster, tmp_path))

        return asyncio.run(asyncio.wait_for(serve(), 60))

    return run_scenario


def columns(text: str) -> list[str]:
    return text.splitlines()[0].split()


def test_the_first_chapters_commands(run: Run) -> None:
    async def scenario(kubectl: Kubectl) -> None:
        assert "v1.36.2+embedded" in await kubectl.ok("version", "-o", "json")
        assert await kubectl.ok("get", "namespaces", "-o", "name") == (
            "namespace/default\nnamespace/kube-node-lease\nnamespace/kube-public\nnamespace/kube-system\n"
        )
        made = await kubectl.ok("run", "hello", "--image=app:1.0", "--port=8080")
        assert made == "pod/hello created\n"
        pods = await kubectl.ok("get", "pods")
        assert columns(pods) == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
        wide = await kubectl.ok("get", "pods", "-o", "wide")
        assert columns(wide)[5:] == ["IP", "NODE", "NOMINATED", "NODE", "READINESS", "GATES"]
        exposed = await kubectl.ok("expose", "pod", "hello", "--type=LoadBalancer", "--name=hello-http")
        assert exposed == "service/hello-http exposed\n"
        services = await kubectl.ok("get", "services")
        assert "<pending>" in services
        assert "127.64.128.1" in services
        assert "Selector:" in await kubectl.ok("describe", "service", "hello-http")
        assert "node-role" not in await kubectl.ok("describe", "pod", "hello")
        assert "deleted" in await kubectl.ok("delete", "service", "hello-http")
        assert "deleted" in await kubectl.ok("delete", "pod", "hello")

    run(scenario)


def test_create_scale_and_delete_a_deployment(run: Run) -> None:
    async def scenario(kubectl: Kubectl) -> None:
        create = ("create", "deployment", "web", "--image=app:1.0", "--port=8080", "--replicas=2")
        assert await kubectl.ok(*create) == "deployment.apps/web created\n"
        found = kubectl.registry.get("deployments", "web", "default")
        assert found["spec"]["replicas"] == 2
        assert found["spec"]["template"]["spec"]["containers"][0]["ports"] == [
            {"containerPort": 8080, "protocol": "TCP"}
        ]
        assert found["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": "25%", "maxSurge": "25%"}
        wide = await kubectl.ok("get", "deployments", "-o", "wide")
        assert columns(wide)[-3:] == ["CONTAINERS", "IMAGES", "SELECTOR"]
        scaled = await kubectl.ok("scale", "deployment", "web", "--replicas=5")
        assert scaled == "deployment.apps/web scaled\n"
        assert kubectl.registry.get("deployments", "web", "default")["spec"]["replicas"] == 5
        await kubectl.ok("set", "image", "deployment/web", "app=app:2.0")
        await kubectl.ok("label", "deployment", "web", "tier=front")
        assert "tier=front" in await kubectl.ok("get", "deployments", "--show-labels")
        await kubectl.ok("delete", "deployment", "web")
        assert (await kubectl("get", "deployment", "web")).code == 1

    run(scenario)


def test_apply_merges_prunes_and_knows_what_is_unchanged(run: Run) -> None:
    async def scenario(kubectl: Kubectl) -> None:
        both = "{name: A, value: '1'}, {name: B, value: '2'}"
        first = MANIFEST % {"replicas": 2, "env": both}
        apply = ("apply", "-f", "-")
        out = await kubectl.ok(*apply, stdin=first)
        assert out == "deployment.apps/web created\nservice/web created\n"
        out = await kubectl.ok(*apply, stdin=first)
        assert out == "deployment.apps/web unchanged\nservice/web unchanged\n"
        # Somebody else's variable must survive an apply that takes one of its own away.
        extra = {"spec": {"template": {"spec": {"containers": [{"name": "web", "env": [{"name": "C"}]}]}}}}
        await kubectl.ok("patch", "deployment", "web", "--type=strategic", "-p", json.dumps(extra))
        second = MANIFEST % {"replicas": 4, "env": "{name: B, value: '3'}"}
        differs = await kubectl("diff", "-f", "-", stdin=second)
        assert differs.code == 1, differs.err
        assert "+  replicas: 4" in differs.out
        out = await kubectl.ok(*apply, stdin=second)
        assert out == "deployment.apps/web configured\nservice/web unchanged\n"
        spec = kubectl.registry.get("deployments", "web", "default")["spec"]
        env = spec["template"]["spec"]["containers"][0]["env"]
        assert sorted(env, key=lambda item: item["name"]) == [{"name": "B", "value": "3"}, {"name": "C"}]
        assert spec["replicas"] == 4
        assert (await kubectl("diff", "-f", "-", stdin=second)).code == 0
        side = await kubectl.ok("apply", "--server-side", "-f", "-", stdin=second)
        assert "serverside-applied" in side
        await kubectl.ok("delete", "-f", "-", stdin=second)

    run(scenario)


def test_errors_read_as_on_a_real_cluster(run: Run) -> None:
    async def scenario(kubectl: Kubectl) -> None:
        async def error(*arguments: str, stdin: str = "") -> str:
            result = await kubectl(*arguments, stdin=stdin)
            assert result.code == 1
            return result.err.strip()

        assert await error("get", "pod", "nope") == 'Error from server (NotFound): pods "nope" not found'
        scaled = await error("scale", "deployment", "nope", "--replicas=3")
        assert 'deployments.apps "nope" not found' in scaled or scaled == "error: no objects passed to scale"
        assert (await error("create", "deployment", "BAD_NAME", "--image=x")).startswith(
            'error: failed to create deployment: Deployment.apps "BAD_NAME" is invalid: metadata.name: '
            'Invalid value: "BAD_NAME": a lowercase RFC 1123 subdomain must consist of'
        )
        unmarshal = (
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
        )
        bad = {
            "replicas: -1": "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
            "replicas: lots": unmarshal,
            "replicaz: 1": 'strict decoding error: unknown field "spec.replicaz"',
        }
        for wrong, text in bad.items():
            manifest = (MANIFEST % {"replicas": 1, "env": ""}).replace("replicas: 1", wrong)
            assert text in await error("apply", "-f", "-", stdin=manifest)
        manifest = (MANIFEST % {"replicas": 1, "env": ""}).replace("30080", "80")
        assert await error("apply", "-f", "-", stdin=manifest) == (
            'The Service "web" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not '
            "in the valid range. The range of valid ports is 30000-32767"
        )

    run(scenario)


def test_a_watch_prints_what_happens(run: Run) -> None:
    async def scenario(kubectl: Kubectl) -> None:
        await kubectl.ok("run", "first", "--image=app:1.0")
        watching = await kubectl.start("get", "pods", "--watch", "--no-headers")
        assert watching.stdout is not None
        assert watching.stdin is not None
        assert (await watching.stdout.readline()).split()[:3] == [b"first", b"0/1", b"Pending"]
        await kubectl.ok("run", "second", "--image=app:1.0")
        assert (await watching.stdout.readline()).split()[0] == b"second"
        watching.terminate()
        await watching.communicate()

    run(scenario)


def test_explain_knows_fields_and_their_meaning(run: Run) -> None:
    async def scenario(kubectl: Kubectl) -> None:
        text = await kubectl.ok("explain", "deployment.spec.replicas")
        assert "Number of desired pods" in text
        assert "rollingUpdate" in await kubectl.ok("explain", "deployment.spec.strategy")

    run(scenario)


@pytest.mark.parametrize(
    ("arguments", "resource", "name"),
    [
        (("configmap", "c", "--from-literal=a=b"), "configmaps", "c"),
        (("secret", "generic", "s", "--from-literal=a=b"), "secrets", "s"),
        (("serviceaccount", "a"), "serviceaccounts", "a"),
        (("service", "nodeport", "n", "--tcp=80:8080"), "services", "n"),
        (("job", "j", "--image=app:1.0", "--", "true"), "jobs", "j"),
        (("role", "r", "--verb=get", "--resource=pods"), "roles", "r"),
        (("poddisruptionbudget", "b", "--selector=a=b", "--min-available=1"), "poddisruptionbudgets", "b"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_create_makes_each_kind(run: Run, arguments: tuple[str, ...], resource: str, name: str) -> None:
    async def scenario(kubectl: Kubectl) -> None:
        await kubectl.ok("create", *arguments)
        assert kubectl.registry.get(resource, name, "default")["metadata"]["name"] == name

    run(scenario)
