"""exec, attach, cp and port-forward, by the real kubectl and the Python client, into containers that run."""

from __future__ import annotations

import copy
import fcntl
import json
import os
import pty
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.embedded.commands import Commands, Done, until
from tests.embedded.making import context

APP = """
const http = require("http");
const { HOST, PORT, HOSTNAME } = process.env;
http.createServer((request, response) => {
  console.log("asked", request.url);
  response.end(HOSTNAME + "\\n");
}).listen(PORT, HOST, () => console.log("listening"));
process.on("SIGTERM", () => process.exit(0));
"""
DOCKERFILE = 'FROM node:24\nWORKDIR /app\nCOPY app.js ./\nEXPOSE 8080\nENTRYPOINT ["node", "app.js"]\n'


def newest() -> str | None:
    """Return the newest kubectl that there is."""
    found = shutil.which("kubectl")
    beside = sorted(Path(found).resolve().parent.glob("kubectl.1.[0-9]*")) if found else []
    return str(beside[-1]) if beside else found


def speaks_websockets(program: str) -> bool:
    said = subprocess.run(
        [program, "version", "--client"], capture_output=True, text=True, check=False
    ).stdout
    minor = said.partition("v1.")[2].partition(".")[0]
    return minor.isdigit() and int(minor) >= 31


class Cluster:
    """A cluster with one Pod, `web`."""

    def __init__(self, run: Commands, kubectl: str) -> None:
        self.run, self.program = run, kubectl
        self.kubeconfig = run.root.parent / "kubeconfig"
        run("create", "cluster", "--name", "s", "--kubeconfig", self.kubeconfig)
        run("load", "image", "shop:1", "--name", "s")
        made = ("web", "--image", "shop:1", "--image-pull-policy", "IfNotPresent", "--port", "8080")
        assert self.kubectl("run", *made).status == 0
        assert self.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=30s").status == 0

    def argv(self, *argv: str) -> list[str]:
        return [self.program, "--kubeconfig", str(self.kubeconfig), *argv]

    def kubectl(self, *argv: str, stdin: str = "") -> Done:
        done = subprocess.run(
            self.argv(*argv), capture_output=True, text=True, input=stdin, timeout=60, check=False
        )
        return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    kubectl = newest()
    if not kubectl or not shutil.which("node"):
        pytest.skip("kubectl and Node must be on PATH")
    if not speaks_websockets(kubectl):
        pytest.skip("the kubectl here is older than 1.31, which speaks WebSockets")
    run = Commands(tmp_path_factory.mktemp("streams") / "state")
    context(run.root.parent / "app", {"Dockerfile": DOCKERFILE, "app.js": APP})
    run("build", "-t", "shop:1", "app")
    yield Cluster(run, kubectl)
    run("delete", "cluster", "--name", "s", "--kubeconfig", run.root.parent / "kubeconfig")
    assert run.processes() == []


def script(text: str) -> tuple[str, ...]:
    return ("--", "sh", "-c", text)


class TestExec:
    @pytest.mark.parametrize(
        ("text", "stdin", "done"),
        [
            pytest.param("echo out; echo err >&2", "", Done(0, "out\n", "err\n"), id="both outputs"),
            pytest.param("echo $HOSTNAME", "", Done(0, "web\n", ""), id="the container's environment"),
            pytest.param("ls", "", Done(0, "app.js\n", ""), id="the container's directory"),
            pytest.param("cat", "hello\n", Done(0, "hello\n", ""), id="input, and its end"),
            pytest.param(
                "exit 7", "", Done(7, "", "command terminated with exit code 7\n"), id="an exit status"
            ),
            pytest.param(
                "kill -9 $$", "", Done(137, "", "command terminated with exit code 137\n"), id="a signal"
            ),
        ],
    )
    def test_a_command_runs_beside_the_container(
        self, cluster: Cluster, text: str, stdin: str, done: Done
    ) -> None:
        assert cluster.kubectl("exec", "-i", "web", *script(text), stdin=stdin) == done

    def test_much_goes_in_and_out_whole(self, cluster: Cluster) -> None:
        text = "0123456789abcdef" * 200_000
        assert cluster.kubectl("exec", "-i", "web", "--", "cat", stdin=text).out == text

    def test_a_program_that_is_not_there_is_named(self, cluster: Cluster) -> None:
        done = cluster.kubectl("exec", "web", "--", "no-such-program")
        assert done.status != 0
        assert 'exec: "no-such-program": executable file not found in $PATH' in done.err

    def test_a_terminal_is_one(self, cluster: Cluster) -> None:
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            cluster.argv("exec", "-it", "web", *script("tty; stty size; read line; echo got $line")),
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            os.write(ours, b"typed\n")
            out, err = process.communicate(timeout=60)
        os.close(ours)
        os.close(theirs)
        assert process.returncode == 0, err
        assert out.startswith((b"/dev/pts/", b"typed"))
        assert b"got typed" in out

    def test_when_the_caller_goes_the_program_ends(self, cluster: Cluster) -> None:
        before = cluster.run.processes()
        with subprocess.Popen(cluster.argv("exec", "web", "--", "sleep", "300")) as process:
            until(lambda: len(cluster.run.processes()) > len(before))
            process.send_signal(signal.SIGINT)
        until(lambda: cluster.run.processes() == before)

    def test_when_the_pod_goes_the_program_ends(self, cluster: Cluster) -> None:
        cluster.kubectl("run", "brief", "--image", "shop:1", "--image-pull-policy", "IfNotPresent")
        cluster.kubectl("wait", "--for=condition=Ready", "pod/brief", "--timeout=30s")
        with subprocess.Popen(
            cluster.argv("exec", "brief", *script("echo here; sleep 300")),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"here\n"
            cluster.kubectl("delete", "pod", "brief")
            assert process.wait(30) == 137

    @pytest.mark.parametrize(
        ("argv", "error"),
        [
            pytest.param(("nobody", "--", "true"), 'pods "nobody" not found', id="no such Pod"),
            pytest.param(("web", "-c", "x", "--", "true"), "container x", id="no such container"),
        ],
    )
    def test_what_is_not_there_is_said(self, cluster: Cluster, argv: tuple[str, ...], error: str) -> None:
        done = cluster.kubectl("exec", *argv)
        assert done.status == 1
        assert error in done.err

    def test_files_are_copied_both_ways(self, cluster: Cluster, tmp_path: Path) -> None:
        (tmp_path / "in").write_text("a file\n" * 10_000)
        assert cluster.kubectl("cp", str(tmp_path / "in"), "web:copied").status == 0
        assert cluster.kubectl("cp", "web:copied", str(tmp_path / "out")).status == 0
        assert (tmp_path / "out").read_text() == "a file\n" * 10_000


def test_attach_shows_what_is_printed_from_now_on(cluster: Cluster) -> None:
    with subprocess.Popen(
        cluster.argv("attach", "web"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        stdout = process.stdout
        assert stdout is not None
        fetch = "fetch('http://' + process.env.HOST + ':' + process.env.PORT + '/new')"

        def shown() -> bool:
            """Ask, as nothing tells when kubectl is attached, and return whether that was shown."""
            assert cluster.kubectl("exec", "web", "--", "node", "-e", fetch).status == 0
            return bool(select.select([stdout], [], [], 0)[0])

        try:
            until(shown)
            assert stdout.readline() == b"asked /new\n"
        finally:
            process.kill()


KUBECTLS = [
    pytest.param(None, id="the newest kubectl"),
    pytest.param("1.30", id="kubectl 1.30, the first that speaks WebSockets by itself"),
]


def another(cluster: Cluster, version: str | None) -> Cluster:
    """Return the cluster as another kubectl sees it, if that one is here."""
    if version is None:
        return cluster
    program = Path(cluster.program).parent / f"kubectl.{version}"
    if not program.exists():
        pytest.skip(f"there is no kubectl {version} here")
    found = copy.copy(cluster)
    found.program = str(program)
    return found


@pytest.mark.parametrize("version", KUBECTLS)
class TestRun:
    """`kubectl run -i`: a Pod that is made, attached to, and deleted at the end."""

    RUN = ("--image", "shop:1", "--image-pull-policy", "IfNotPresent", "--restart", "Never", "--command")

    def test_what_is_typed_goes_in_and_what_is_said_comes_out(
        self, cluster: Cluster, version: str | None
    ) -> None:
        cluster = another(cluster, version)
        text = "echo out; echo err >&2; exit 3\n"
        done = cluster.kubectl("run", "typed", "-i", "--rm", *self.RUN, "--", "sh", stdin=text)
        assert done.status == 3
        assert done.out.startswith('out\npod "typed" deleted')
        assert done.err.splitlines()[-2:] == ["err", "pod default/typed terminated (Error)"]
        assert "not found" in cluster.kubectl("get", "pod", "typed").err

    def test_the_end_of_input_is_the_containers(self, cluster: Cluster, version: str | None) -> None:
        cluster = another(cluster, version)
        done = cluster.kubectl("run", "counted", "-i", "--rm", *self.RUN, "--", "wc", "-c", stdin="12345")
        assert done.status == 0, done
        assert done.out.split()[0] == "5"

    def test_a_terminal_is_one(self, cluster: Cluster, version: str | None) -> None:
        cluster = another(cluster, version)
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
        # kubectl tells one row and one column more at first, so that whoever draws does so anew.
        size = "until stty size | grep '^33 77'; do sleep 0.02; done"
        script_text = f"read line; echo got $line; tty; {size}; echo $TERM; exit 4"
        argv = ("run", "shown", "-it", "--rm", *self.RUN, "--", "sh", "-c", script_text)
        with subprocess.Popen(
            cluster.argv(*argv), stdin=theirs, stdout=theirs, stderr=subprocess.PIPE
        ) as process:
            os.write(ours, b"typed\n")
            _, err = process.communicate(timeout=60)
        out = os.read(ours, 65536)
        os.close(ours)
        os.close(theirs)
        assert process.returncode == 4, err
        assert b"got typed\r" in out
        assert b"/dev/pts/" in out
        assert b"33 77\r" in out
        assert b"xterm\r" in out


def test_input_that_is_there_for_all_stays_open(cluster: Cluster) -> None:
    script_text = "while read line; do echo got $line; done; echo ended"
    overrides = json.dumps({"spec": {"containers": [{"name": "kept", "stdin": True}]}})
    run = ("run", "kept", "--image", "shop:1", "--image-pull-policy", "IfNotPresent")
    more = ("--overrides", overrides, "--override-type", "strategic", "--command")
    assert cluster.kubectl(*run, *more, "--", "sh", "-c", script_text).status == 0
    assert cluster.kubectl("wait", "--for=condition=Ready", "pod/kept", "--timeout=30s").status == 0
    for word in ("one", "two"):
        with subprocess.Popen(
            cluster.argv("attach", "-i", "kept"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdin
            assert process.stdout
            process.stdin.write(f"{word}\n".encode())
            process.stdin.flush()
            assert process.stdout.readline() == f"got {word}\n".encode()
            process.kill()
    assert "ended" not in cluster.kubectl("logs", "kept").out
    assert cluster.kubectl("delete", "pod", "kept", "--now").status == 0


class Forwarded:
    """kubectl port-forward while it runs."""

    def __init__(self, cluster: Cluster, what: str, port: int) -> None:
        self.process = subprocess.Popen(
            cluster.argv("port-forward", what, f":{port}"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()  # Forwarding from 127.0.0.1:PORT -> 8080
        self.port = int(line.partition("127.0.0.1:")[2].partition(" ")[0])

    def ask(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=20) as answer:
            text: str = answer.read().decode()
            return text

    def end(self) -> str:
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=30)[1]


class TestPortForward:
    def test_each_connection_gets_its_answer(self, cluster: Cluster) -> None:
        forwarded = Forwarded(cluster, "pod/web", 8080)
        assert [forwarded.ask() for _ in range(20)] == ["web\n"] * 20
        held = [socket.create_connection(("127.0.0.1", forwarded.port)) for _ in range(10)]
        for number, one in enumerate(held):  # all open at the same time
            one.sendall(f"GET /{number} HTTP/1.0\r\n\r\n".encode())
        for one in held:
            with one, one.makefile("rb") as answer:
                assert answer.read().endswith(b"web\n")
        forwarded.end()

    def test_a_port_that_nobody_listens_on_is_named(self, cluster: Cluster) -> None:
        forwarded = Forwarded(cluster, "pod/web", 81)
        with pytest.raises(OSError, match=r"."):
            forwarded.ask()
        assert "error forwarding port 81 to pod default_web" in forwarded.process.communicate(timeout=30)[1]


BASE = "/api/v1/namespaces/default"


def ask(cluster: Cluster, path: str) -> Done:
    return cluster.kubectl("get", "--raw", f"{BASE}/{path}")


@pytest.fixture(scope="module")
def service(cluster: Cluster) -> Iterator[None]:
    assert cluster.kubectl("expose", "pod", "web", "--port=80", "--target-port=8080").status == 0
    until(lambda: "web" in ask(cluster, "services/web/proxy/").out, 30)
    yield
    cluster.kubectl("delete", "service", "web")


class TestProxy:
    """HTTP through the API server: `kubectl get --raw` asks as `kubectl proxy` does."""

    @pytest.mark.parametrize(
        "path",
        [
            "pods/web/proxy/",
            "pods/web:8080/proxy/some/path?a=b",
            "services/web/proxy/",
            "services/web:80/proxy/",
            "services/http:web:80/proxy/",
            "services/web/proxy",
        ],
    )
    @pytest.mark.usefixtures("service")
    def test_a_pod_and_a_service_answer(self, cluster: Cluster, path: str) -> None:
        assert ask(cluster, path) == Done(0, "web\n", "")

    @pytest.mark.parametrize(
        ("path", "said"),
        [
            ("services/web:81/proxy/", '(ServiceUnavailable): no endpoints available for service "web:81"'),
            ("services/none/proxy/", '(NotFound): services "none" not found'),
            ("pods/a:b:c/proxy/", '(BadRequest): invalid pod request "a:b:c"'),
            ("pods/web:9/proxy/", "(ServiceUnavailable): error trying to reach service: dial tcp "),
        ],
    )
    @pytest.mark.usefixtures("service")
    def test_what_does_not_answer_is_said_so(self, cluster: Cluster, path: str, said: str) -> None:
        done = ask(cluster, path)
        assert (done.status, done.out) == (1, "")
        assert said in done.err

    def test_path_query_and_body_arrive(self, cluster: Cluster) -> None:
        cluster.kubectl("create", "--raw", f"{BASE}/pods/web/proxy/a%20b?c=d", "-f", __file__)
        assert "asked /a%20b?c=d\n" in cluster.kubectl("logs", "web").out


# Apart, as it leaves sockets to the garbage collector. Its calls change a client for good: each has its own.
PYTHON_CLIENT = """
import sys
from kubernetes import client, config
from kubernetes.stream import portforward, stream

def api():
    return client.CoreV1Api(config.new_client_from_config(sys.argv[1]))

shell = ["sh", "-c", "read line; echo got $line; exit 3"]
asked = stream(
    api().connect_get_namespaced_pod_exec, "web", "default", command=shell,
    stdin=True, stdout=True, stderr=True, tty=False, _preload_content=False,
)
asked.write_stdin("it\\n")
asked.run_forever(timeout=30)
print(asked.read_stdout(), asked.returncode)
ports = portforward(api().connect_get_namespaced_pod_portforward, "web", "default", ports="8080")
one = ports.socket(8080)
one.setblocking(True)
one.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
answer = b""
while chunk := one.recv(1000):
    answer += chunk
print(answer.decode().splitlines()[-1])
"""


# It names no subprotocol.
KR8S = """
import asyncio, sys
import kr8s.asyncio
from kr8s.asyncio.objects import Pod

async def main():
    api = await kr8s.asyncio.api(kubeconfig=sys.argv[1])
    web = await Pod.get("web", namespace="default", api=api)
    async with web.portforward(remote_port=8080) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
        print((await reader.read()).decode().splitlines()[-1])
    print(await api.whoami())

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("client", "program", "said"),
    [
        ("kubernetes", PYTHON_CLIENT, "got it\n 3\nweb\n"),
        ("kr8s", KR8S, "web\nkubernetes-admin\n"),
    ],
    ids=["kubernetes", "kr8s"],
)
def test_python_clients_have_their_own_ways(cluster: Cluster, client: str, program: str, said: str) -> None:
    if not find_spec(client) and not os.environ.get("CI"):
        pytest.skip(f"{client} is not installed: it is of the extra `dev`")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, cluster.kubeconfig],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == (said, "")


@pytest.mark.parametrize(
    "argv", [("exec", "web", "--", "true"), ("attach", "web"), ("port-forward", "web", ":8080")]
)
def test_an_old_kubectl_is_told_what_to_do(cluster: Cluster, argv: tuple[str, ...]) -> None:
    old = sorted(Path(cluster.program).parent.glob("kubectl.1.2[0-9]"))
    if not old:
        pytest.skip("there is no kubectl older than 1.30 here")
    done = subprocess.run(
        [old[0], "--kubeconfig", cluster.kubeconfig, *argv],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "WebSockets only, which kubectl does since 1.30" in done.stderr


@pytest.mark.parametrize("verb", ["attach", "exec?command=true", "portforward"])
def test_a_request_that_is_no_upgrade_is_told_so_whatever_becomes_of_the_container(
    cluster: Cluster, verb: str
) -> None:
    made = ("--image", "shop:1", "--image-pull-policy", "IfNotPresent", "--restart", "Never")
    name = f"over-{verb.partition('?')[0]}"
    assert cluster.kubectl("run", name, *made, "--command", "--", "true").status == 0
    ended = ("wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/{name}", "--timeout=30s")
    assert cluster.kubectl(*ended).status == 0
    done = cluster.kubectl("get", "--raw", f"/api/v1/namespaces/default/pods/{name}/{verb}")
    assert done.err.strip() == "Error from server (BadRequest): Upgrade request required"
