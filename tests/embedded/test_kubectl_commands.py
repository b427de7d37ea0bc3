"""What a learner types next: kubectl's commands, by the oldest and the newest here, and what they print.

The commands are typed one after another on one cluster with every controller, whose Pods only pretend to run.
"""

from __future__ import annotations

import asyncio
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.embedded.running import running
from tests.embedded.serving import Cluster
from tests.embedded.test_kubectl import kubectls

pytestmark = pytest.mark.skipif(not kubectls(), reason="there is no kubectl on PATH")


@dataclass(frozen=True)
class Row:
    """A command, what it prints (a pattern of all of it, stderr after stdout), and its status."""

    command: str
    printed: str
    status: int = 0


FAILS = 1
POD = r"pod/web-\w+-\w{5}"
ROWS = [
    Row("create deployment web --image=app:1.0 --replicas=2 --port=8080", "deployment.apps/web created"),
    Row("rollout status deploy/web --timeout=20s", '(?s).*deployment "web" successfully rolled out'),
    # get, in every form
    Row(
        "get deploy web -o wide",
        r"NAME\s+READY\s+UP-TO-DATE\s+AVAILABLE\s+AGE\s+CONTAINERS.*\nweb\s+2/2.*app=web",
    ),
    Row("get pods -l app=web -o custom-columns=IMAGE:.spec.containers[0].image", "IMAGE\napp:1.0\napp:1.0"),
    Row(
        """get pods -l app=web -o jsonpath='{range .items[*]}{.status.phase}{" "}{end}'""", "Running Running "
    ),
    Row("get pods -o go-template='{{len .items}}'", "3"),
    Row("get pods --sort-by=.metadata.name -o name", f"pod/one\n{POD}\n{POD}"),
    Row("get pods -L app -l app --no-headers", r"(web-\S+\s.*\sweb\n?){2}"),
    Row("get pods -l app --field-selector=status.phase!=Running", "No resources found in default namespace."),
    Row(
        "get all -o name",
        f"(?s)pod/one\n{POD}\n{POD}\nservice/kubernetes\ndeployment.apps/web\nreplicaset.apps/web-.*",
    ),
    Row("get nodes -o name", "node/node-1\nnode/node-2"),
    Row("events --types=Warning", "No events found in default namespace."),
    # metadata
    Row("label pods -l app=web x=y", f"{POD} labeled\n{POD} labeled"),
    Row("label deploy web x=y", "deployment.apps/web labeled"),
    Row("label deploy web x=z", r"error: 'x' already has a value \(y\), and --overwrite is false", FAILS),
    Row("label deploy web x=z --overwrite", "deployment.apps/web labeled"),
    Row("label deploy web x-", "deployment.apps/web unlabeled"),
    Row("annotate deploy web note=hello", "deployment.apps/web annotated?"),
    Row("annotate deploy web note-", "deployment.apps/web annotated?"),
    # changes
    Row("edit deploy web", "deployment.apps/web edited"),
    Row("get deploy web -o jsonpath={.spec.replicas}", "3"),
    Row("""patch deploy web -p '{"spec":{"replicas":2}}'""", "deployment.apps/web patched"),
    Row("""patch deploy web -p '{"spec":{"replicas":2}}'""", r"deployment.apps/web patched \(no change\)"),
    Row(
        """patch deploy web --type=json -p '[{"op":"replace","path":"/spec/replicas","value":1}]'""",
        "deployment.apps/web patched",
    ),
    Row("""patch deploy web --type=merge -p '{"spec":{"replicas":2}}'""", "deployment.apps/web patched"),
    Row(
        "scale deploy web --replicas=3 --current-replicas=9", "error: Expected replicas to be 9, was 2", FAILS
    ),
    Row("scale deploy web --replicas=2", "deployment.apps/web scaled"),
    Row("set image deploy/web app=app:2.0", "deployment.apps/web image updated"),
    Row("set env deploy/web COLOUR=red", "deployment.apps/web env updated"),
    Row("set env deploy/web --list", "# Deployment web, container app\nCOLOUR=red"),
    Row("set resources deploy/web --limits=cpu=200m", "deployment.apps/web resource requirements updated"),
    Row("set serviceaccount deploy/web default", "deployment.apps/web serviceaccount updated"),
    Row("expose deploy web --port=80 --target-port=8080", "service/web exposed"),
    Row("set selector svc web app=web,x=y", "service/web selector updated"),
    Row("replace -f config-map.json", r'Error from server \(NotFound\): .*configmaps "c" not found', FAILS),
    Row("create -f config-map.json", "configmap/c created"),
    Row("create -f config-map.json", r'Error from server \(AlreadyExists\): .* "c" already exists', FAILS),
    Row("replace -f config-map.json", "configmap/c replaced"),
    Row("replace --force -f config-map.json", '(?s)configmap "c" deleted.*\nconfigmap/c replaced'),
    # create
    Row("create job j --image=app:1.0 -- true", "job.batch/j created"),
    Row("create configmap d --from-literal=a=b", "configmap/d created"),
    Row("create secret generic s --from-literal=a=b", "secret/s created"),
    Row(
        "create secret docker-registry r --docker-server=x --docker-username=u --docker-password=p",
        "secret/r created",
    ),
    Row("create serviceaccount sa", "serviceaccount/sa created"),
    Row("create role r --verb=get --resource=pods", "role.rbac.authorization.k8s.io/r created"),
    Row(
        "create rolebinding b --role=r --serviceaccount=default:sa",
        "rolebinding.rbac.authorization.k8s.io/b created",
    ),
    Row("create service clusterip cs --tcp=80:8080", "service/cs created"),
    Row("create service nodeport np --tcp=80:8080", "service/np created"),
    Row("create pdb web --selector=app=web --min-available=2", "poddisruptionbudget.policy/web created"),
    Row("create cronjob cj --image=app:1.0 --schedule='* * * * *'", "cronjob.batch/cj created"),
    Row("create ingress door --rule=a.example/=web:80", "ingress.networking.k8s.io/door created"),
    Row("get cronjob,ingress -o name", "cronjob.batch/cj\ningress.networking.k8s.io/door"),
    Row(
        "create token sa --duration=1s",
        "error: failed to create token: .*may not specify a duration less than 10 minutes",
        FAILS,
    ),
    Row(
        "autoscale deploy web --max=5 --min=1 --cpu-percent=50",
        "horizontalpodautoscaler.autoscaling/web autoscaled",
    ),
    Row("get hpa --no-headers", r"web\s+Deployment/web\s+(cpu: )?<unknown>/50%\s+1\s+5\s+0\s+\d+s"),
    Row(
        "get horizontalpodautoscalers.v1.autoscaling web -o jsonpath='"
        "{.apiVersion}:{.spec.targetCPUUtilizationPercentage}'",
        "autoscaling/v1:50",
    ),
    # rollouts
    Row(
        "rollout history deploy/web",
        r"(?s)deployment.apps/web \nREVISION  CHANGE-CAUSE\n1\s+<none>\n2\s+<none>\n.*",
    ),
    Row(
        "rollout history deploy/web --revision=2",
        r"(?s).*with revision #2\nPod Template:.*Image:\s+app:2.0\n.*",
    ),
    Row("rollout undo deploy/web", "deployment.apps/web rolled back"),
    Row(
        "rollout undo deploy/web --to-revision=99",
        "error: unable to find specified revision 99 in history",
        FAILS,
    ),
    Row("rollout pause deploy/web", "deployment.apps/web paused"),
    Row("rollout pause deploy/web", 'error: deployments.apps "web" is already paused', FAILS),
    Row("rollout restart deploy/web", "error: .* can't restart paused deployment .*", FAILS),
    Row("rollout resume deploy/web", "deployment.apps/web resumed"),
    Row("rollout restart deploy/web", "deployment.apps/web restarted"),
    Row("rollout status deploy/web --timeout=20s", '(?s).*deployment "web" successfully rolled out'),
    Row("wait --for=condition=Available deploy/web --timeout=20s", "deployment.apps/web condition met"),
    Row(
        "wait --for=jsonpath='{.status.replicas}'=2 deploy/web --timeout=20s",
        "deployment.apps/web condition met",
    ),
    # nodes
    Row("taint nodes node-1 k=v:NoSchedule", "node/node-1 tainted"),
    Row("taint nodes node-1 k=v:NoSchedule", "error: node node-1 already has k taint.*", FAILS),
    Row("taint nodes node-1 k-", "node/node-1 untainted"),
    Row("cordon node-1", "node/node-1 cordoned"),
    Row("cordon node-1", r"node/node-1 already cordoned"),
    Row("get node node-1 --no-headers", r"node-1\s+Ready,SchedulingDisabled\s.*"),
    Row("uncordon node-1", "node/node-1 uncordoned"),
    Row(
        "drain node-1 node-2 --timeout=1s",
        r"(?s).*Cannot evict pod as it would violate the pod's disruption budget\.\n.*unable to drain node.*",
        FAILS,
    ),
    Row("delete pdb web", 'poddisruptionbudget.policy "web" deleted.*'),
    Row("drain node-1 node-2 --timeout=20s", rf"(?s).*{POD} evicted\n.*node/node-[12] drained.*"),
    Row(
        "get pods -l app --field-selector=status.phase=Pending --no-headers",
        r"(web-\S+\s+0/1\s+Pending.*\n?){2}",
    ),
    Row("uncordon node-1 node-2", "node/node-1 uncordoned\nnode/node-2 uncordoned"),
    # oneself, and what is not there
    Row("auth can-i create pods", "yes"),
    Row(
        "auth can-i --list", r"Resources\s+Non-Resource URLs\s+Resource Names\s+Verbs\n\*\.\*\s.*\[\*\].*\n.*"
    ),
    Row(
        "auth can-i get pods --as=jane",
        'Error from server .*users "jane" is forbidden: .* nobody can be somebody else.*',
        FAILS,
    ),
    Row("top pods", "error: Metrics API not available", FAILS),
    Row("top nodes", "error: Metrics API not available", FAILS),
    Row(
        "debug pod/one --image=app:1.0 --attach=false",
        "(?s).*error: ephemeral containers are disabled for this cluster.*",
        FAILS,
    ),
    Row(
        "debug node/node-1 --image=app:1.0 --attach=false",
        "(?s).*Creating debugging pod node-debugger-node-1-.*",
    ),
    Row("cluster-info", "(?s).*is running at .*https://127.0.0.1:.*"),
    # explain
    Row(
        "explain deploy.spec.strategy.rollingUpdate.maxSurge",
        r"(?s)GROUP:\s+apps\n.*FIELD: maxSurge <IntOrString>.*",
    ),
    Row(
        "explain pod.spec.containers --recursive",
        r"(?s).*FIELD: containers <\[\]Container>.*\n    containerPort\s.*",
    ),
    Row("explain pod.nope", '(?s).*error: field "nope" does not exist', FAILS),
    Row("explain nope", '(error: )?the server doesn\'t have a resource type "nope".*|error: .*nope.*', FAILS),
    Row("delete deploy,svc,cm,job,hpa -l nope=1", "No resources found"),
    Row("delete deploy web", 'deployment.apps "web" deleted.*'),
    Row("get deploy web", r'Error from server \(NotFound\): deployments.apps "web" not found', FAILS),
]
_IDS = [f"{number:02} {row.command[:50]}" for number, row in enumerate(ROWS)]
_EDITOR = "#!/bin/sh\nsed -i 's/replicas: 2$/replicas: 3/' \"$1\"\n"
_ONE = {
    "metadata": {"name": "one", "namespace": "default"},
    "spec": {"containers": [{"name": "c", "image": "app:1.0"}]},
}
_CONFIG_MAP = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "b"}}'


@dataclass
class Kubectl:
    """One kubectl, with a home of its own in which it runs."""

    program: str
    cluster: Cluster
    home: Path

    async def start(self, command: str) -> asyncio.subprocess.Process:
        environment = {
            "HOME": str(self.home),
            "KUBECONFIG": str(self.cluster.kubeconfig),
            "KUBE_EDITOR": str(self.home / "editor"),
            "PATH": "/usr/bin:/bin",
        }
        return await asyncio.create_subprocess_exec(
            self.program,
            *shlex.split(command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            cwd=self.home,
        )

    async def __call__(self, command: str) -> tuple[int | None, str]:
        process = await self.start(command)
        out, err = await process.communicate()
        return process.returncode, (out + err).decode().removesuffix("\n")


def prepare(home: Path, cluster: Cluster) -> None:
    editor = home / "editor"
    editor.write_text(_EDITOR)
    editor.chmod(0o700)
    (home / "config-map.json").write_text(_CONFIG_MAP)
    cluster.registry.create("pods", {**_ONE, "spec": {**_ONE["spec"], "schedulerName": "none"}})  # type: ignore[dict-item]


@pytest.fixture(scope="module", params=kubectls(), ids=lambda path: Path(path).name)
def typed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[int | None, str]]:
    """Return what each command said, typed one after another."""

    async def type_all() -> list[tuple[int | None, str]]:
        home = tmp_path_factory.mktemp("commands")
        async with running(home) as cluster:
            kubectl = Kubectl(request.param, cluster, home)
            prepare(home, cluster)
            return [await kubectl(row.command) for row in ROWS]

    return asyncio.run(asyncio.wait_for(type_all(), 300))


@pytest.mark.parametrize("number", range(len(ROWS)), ids=_IDS)
def test_a_command_says_what_it_says_on_kubernetes(typed: list[tuple[int | None, str]], number: int) -> None:
    status, printed = typed[number]
    assert (status, bool(re.fullmatch(ROWS[number].printed, printed))) == (ROWS[number].status, True), printed


@pytest.mark.parametrize("program", kubectls(), ids=lambda path: Path(path).name)
def test_every_kind_is_explained(program: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as cluster:
            kubectl = Kubectl(program, cluster, tmp_path)
            _, printed = await kubectl("api-resources --no-headers")
            rows = [re.split(r"\s{2,}", line) for line in printed.splitlines()]
            asked = [(row[0], row[-3], row[-1]) for row in rows]
            assert len(asked) > 20
            for plural, version, kind in asked:
                for more in ("", " --recursive"):
                    status, printed = await kubectl(f"explain {plural} --api-version={version}{more}")
                    assert (status, re.search(rf"KIND:\s+{kind}\n", printed) is not None) == (0, True), (
                        printed
                    )
                    assert "<Object>" not in printed or "FIELDS:" in printed

    asyncio.run(asyncio.wait_for(scenario(), 120))


@pytest.mark.parametrize("program", kubectls(), ids=lambda path: Path(path).name)
def test_a_watch_prints_a_line_for_every_change(program: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as cluster:
            kubectl = Kubectl(program, cluster, tmp_path)
            await kubectl("create configmap first --from-literal=a=b")
            process = await kubectl.start(
                "get configmaps --watch --field-selector=metadata.name!=kube-root-ca.crt"
            )
            assert process.stdout
            assert (await process.stdout.readline()).split() == [b"NAME", b"DATA", b"AGE"]
            assert (await process.stdout.readline()).startswith(b"first ")
            await kubectl("create configmap second --from-literal=a=b")
            assert (await process.stdout.readline()).startswith(b"second ")
            process.terminate()
            await process.communicate()

    asyncio.run(asyncio.wait_for(scenario(), 60))
