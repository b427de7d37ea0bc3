"""The stand-in for kind, held to a recording of kind v0.33.0-alpha: `tests/standins/golden/kind.json`.

Here `docker` is a program that knows no container and no image, as an engine that has just been installed.
What needs a real engine is in tests/docker.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

STANDINS = Path(__file__).resolve().parent / "standins"
sys.path.insert(0, str(STANDINS))

from kind_standin import (  # noqa: E402
    agent,
    commands,
    config,
    create,
    durations,
    failures,
    kubeconfig,
    load,
    pace,
    provision,
)
from kind_standin.errors import KindError, aggregate, quote  # noqa: E402

RECORDED: list[dict[str, Any]] = json.loads((STANDINS / "golden" / "kind.json").read_text(encoding="utf-8"))
# What the stand-in adds to the help of `kind`: that it is none.
NOTE = "\nThis is kubetour's stand-in for kind, for its tests only.\n"
# An engine without containers and images.
DOCKER = """#!/bin/sh
case "$1 $2" in
"ps "* | "network ls") exit 0 ;;
"image inspect") echo "Error: No such image: $5" >&2; exit 1 ;;
esac
echo "no docker $*" >&2; exit 1
"""
HEAD = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n"


def before_the_first_cluster() -> list[dict[str, Any]]:
    """Return what was recorded before there was a cluster; the pull that took ten seconds is the last."""
    started = next(i for i, each in enumerate(RECORDED) if "--image" in each["cmd"])
    return RECORDED[: started + 1]


@pytest.fixture(scope="module")
def bin_(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bin")
    (folder / "docker").write_text(DOCKER)
    (folder / "docker").chmod(0o755)
    return folder


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, bin_: Path, tmp_path: Path) -> None:
    """Put the empty engine first on PATH, and give a home and a working directory of the test's own."""
    monkeypatch.setenv("PATH", f"{STANDINS}{os.pathsep}{bin_}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KIND_STANDIN_PYTHON", sys.executable)
    for name in ("KIND_CLUSTER_NAME", "KIND_STANDIN_FAIL", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "recorded", before_the_first_cluster(), ids=lambda each: " ".join(each["cmd"].split())
)
def test_it_answers_as_kind_did(
    recorded: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if "--image no/such" in recorded["cmd"]:
        monkeypatch.setenv("KIND_STANDIN_FAIL", "pull")
    monkeypatch.setattr(sys, "stdin", io.StringIO(recorded["stdin"] or ""))
    status = commands.main(shlex.split(recorded["cmd"])[1:])
    out, err = capsys.readouterr()
    assert out.removesuffix(NOTE) == recorded["out"]
    assert err == recorded["err"]
    assert status == recorded["rc"]


def test_on_path_it_is_called_kind_and_its_help_says_what_it_is() -> None:
    done = subprocess.run(["kind", "--help"], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.endswith(NOTE)
    assert "stand-in" in (STANDINS / "kind").read_text(encoding="utf-8")[:200]


@pytest.mark.parametrize(
    ("command", "status", "error"),
    [
        ("", 0, ""),
        ("bogus", 1, 'ERROR: unknown command "bogus" for "kind"\n'),
        ("create", 1, "ERROR: Subcommand is required\n"),
        ("create cluster tour", 1, 'ERROR: unknown command "tour" for "kind create cluster"\n'),
        ("create cluster --name", 1, "ERROR: flag needs an argument: --name\n"),
        ("create cluster -n", 1, "ERROR: flag needs an argument: 'n' in -n\n"),
        ("create cluster -x", 1, "ERROR: unknown shorthand flag: 'x' in -x\n"),
        (
            "create cluster --wait 5",
            1,
            'ERROR: invalid argument "5" for "--wait" flag: time: missing unit in duration "5"\n',
        ),
        ("-q get clusters", 0, ""),
        ("get clusters -q", 0, ""),
        ("load docker-image", 1, "ERROR: a list of image names is required\n"),
        ("load image-archive", 1, "ERROR: name of image archive is required\n"),
        ("load image-archive nope.tar", 1, "ERROR: stat nope.tar: no such file or directory\n"),
        ("delete clusters", 1, "ERROR: no cluster names provided\n"),
        ("delete clusters --all", 0, "Deleted clusters: []\n"),
        ("get nodes -A", 0, "No kind nodes for any cluster.\n"),
        ("export logs --name nope", 1, 'ERROR: unknown cluster "nope"\n'),
        ("export logs a b", 1, "ERROR: accepts at most 1 arg(s), received 2\n"),
        ("build node-image", 1, "ERROR: kubetour's stand-in for kind does not know this command\n"),
    ],
)
def test_wrong_use_fails_as_in_kinds_source(
    command: str, status: int, error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.main(shlex.split(command)) == status
    assert capsys.readouterr().err == error


def test_the_clusters_name_may_come_from_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIND_CLUSTER_NAME", "mine")
    commands.main(["delete", "cluster"])
    assert capsys.readouterr().err == 'Deleting cluster "mine" ...\n'


@pytest.mark.parametrize(
    ("given", "load"),
    [pytest.param("", 0.0, id="none"), pytest.param("create=16,load=6", 6.0, id="some")],
)
def test_a_pace_is_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, given: str, load: float
) -> None:
    monkeypatch.setenv("KIND_STANDIN_PACE", given)
    assert pace.seconds("load") == load


def test_a_misspelt_pace_is_no_silent_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIND_STANDIN_PACE", "loda=6")
    with pytest.raises(ValueError, match="unknown loda"):
        pace.seconds("load")


def test_a_misspelt_failure_is_no_silent_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIND_STANDIN_FAIL", "pul")
    with pytest.raises(ValueError, match="unknown pul; known: pull"):
        failures.asked("pull")


# --- the config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: Cluster\n", "unknown apiVersion: "),
        (HEAD.replace("Cluster", "Box"), "unknown kind Box for apiVersion: kind.x-k8s.io/v1alpha4"),
        ("a: [", "could not determine kind / apiVersion for config: yaml: line 1: "),
        (
            HEAD + "nodes:\n- rolle: worker\n  image: x\n- extraPortMappings:\n  - containerport: 1\n",
            "line 4: field rolle not found in type v1alpha4.Node\n"
            "  line 7: field containerport not found in type v1alpha4.PortMapping",
        ),
        (HEAD + "nodes: 3\n", "line 3: cannot unmarshal !!int `3` into []v1alpha4.Node"),
        (
            HEAD + "nodes:\n- extraPortMappings:\n  - hostPort: eighty\n",
            "line 5: cannot unmarshal !!str `eighty` into int32",
        ),
        (HEAD + "networking: []\n", "line 3: cannot unmarshal !!seq into v1alpha4.Networking"),
        (HEAD + "featureGates: {A: maybe}\n", "cannot unmarshal !!str `maybe` into bool"),
        (HEAD + "name: a\nname: b\n", 'line 4: mapping key "name" already defined'),
    ],
    ids=lambda text: text.splitlines()[-1] if text else "empty",
)
def test_a_config_that_cannot_be_read_is_refused_in_kinds_words(text: str, message: str) -> None:
    with pytest.raises(KindError) as caught:
        config.parse(text)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nodes: [{role: worker}]", "must have at least one control-plane node"),
        ("networking: {apiServerPort: 70000}", "invalid apiServerPort: invalid port number: 70000"),
        ("networking: {ipFamily: ipv5}", "invalid ipFamily: ipv5"),
        ("networking: {kubeProxyMode: fast}", "invalid kubeProxyMode: fast"),
        (
            "networking: {podSubnet: here}",
            'invalid pod subnet failed to parse cidr value:"here" with error: invalid CIDR address: here',
        ),
        (
            "nodes: [{extraPortMappings: [{containerPort: 80, hostPort: -2}]}]",
            "invalid configuration for node 0: invalid hostPort: invalid port number: -2",
        ),
        (
            "nodes: [{extraPortMappings: [{hostPort: 80}, {hostPort: 80, listenAddress: 127.0.0.1}]}]",
            "invalid configuration for node 0: invalid portMapping: port mapping with same listen address, "
            "port and protocol already configured: 127.0.0.1:80/",
        ),
        (
            "nodes: [{extraPortMappings: [{hostPort: 80, listenAddress: here}]}]",
            "invalid configuration for node 0: invalid portMapping: invalid listen address: here",
        ),
    ],
)
def test_a_config_that_cannot_be_is_refused_in_kinds_words(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(HEAD + text)
    with pytest.raises(KindError) as caught:
        config.validate(config.load(str(tmp_path / "config.yaml")))
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("label", "refused"),
    [
        ("tier", False),
        ("example.com/tier", False),
        ("node.kubernetes.io/pool", False),
        ("kubernetes.io/os", False),
        ("app.kubernetes.io/managed-by", True),
        ("node-role.kubernetes.io/worker", True),
        ("k8s.io/x", True),
    ],
)
def test_a_kubelet_does_not_start_with_labels_of_kubernetes_own(label: str, refused: bool) -> None:
    assert create.is_refused({"role": "worker", "labels": {label: "x"}}) is refused


def test_the_projects_own_config_is_valid_and_gets_kinds_defaults_and_names() -> None:
    loaded = config.load(str(STANDINS.parent.parent / "kind-config.yaml"), name="tour")
    config.validate(loaded)
    assert not any(create.is_refused(node) for node in loaded["nodes"])
    assert provision.names(loaded) == ["tour-control-plane", "tour-worker", "tour-worker2"]
    assert {node["image"] for node in loaded["nodes"]} == {config.NODE_IMAGE}


def test_every_field_of_the_config_that_kubetour_may_write_is_known() -> None:
    text = HEAD + yaml.safe_dump(
        {
            "name": "tour",
            "nodes": [
                {
                    "role": "control-plane",
                    "image": "x",
                    "labels": {"a": "b"},
                    "kubeadmConfigPatches": ["kind: KubeletConfiguration"],
                    "extraMounts": [{"hostPath": "/a", "containerPath": "/b", "readOnly": True}],
                    "extraPortMappings": [{"containerPort": 1, "hostPort": 2, "protocol": "TCP"}],
                }
            ],
            "networking": {"apiServerAddress": "127.0.0.1", "kubeProxyMode": "nftables"},
            "featureGates": {"A": True},
            "kubeadmConfigPatches": ["kind: KubeletConfiguration\nfailCgroupV1: false"],
            "containerdConfigPatches": ["[plugins]"],
        }
    )
    assert config.parse(text)["nodes"][0]["extraPortMappings"][0]["hostPort"] == 2


# --- small parts


@pytest.mark.parametrize(
    ("text", "seconds", "shown"),
    [
        ("120s", 120, "2m0s"),
        ("1h2m3s", 3723, "1h2m3s"),
        ("1.5m", 90, "1m30s"),
        ("0", 0, "0s"),
        ("400ms", 0.4, "0s"),
    ],
)
def test_durations_are_gos(text: str, seconds: float, shown: str) -> None:
    assert durations.parse(text) == pytest.approx(seconds)
    assert durations.text(seconds) == shown


@pytest.mark.parametrize("text", ["", "s", "5 s", "5d", "--5s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time: invalid duration"):
        durations.parse(text)


@pytest.mark.parametrize(
    ("image", "full"),
    [
        ("app", "docker.io/library/app:latest"),
        ("app:1", "docker.io/library/app:1"),
        ("me/app:1", "docker.io/me/app:1"),
        ("localhost/app", "localhost/app:latest"),
        ("localhost:5000/app:1", "localhost:5000/app:1"),
        ("app@sha256:0", "docker.io/library/app@sha256:0"),
    ],
)
def test_image_names_are_filled_in_as_on_a_node(image: str, full: str) -> None:
    assert load.sanitized(image) == full


def test_one_error_stands_alone_and_repeats_are_dropped() -> None:
    assert aggregate(["a"]) == "a"
    assert aggregate(["a", "b", "a"]) == "[a, b]"
    assert quote('a"b') == '"a\\"b"'


# --- kubeconfig

OWN = """
apiVersion: v1
kind: Config
clusters: [{name: embedded-tour, cluster: {server: "https://127.0.0.1:21234", certificate-authority-data: Q}}]
users: [{name: embedded-tour, user: {token: secret}}]
contexts: [{name: embedded-tour, context: {cluster: embedded-tour, user: embedded-tour}}]
current-context: embedded-tour
"""


def test_the_kubeconfig_has_kinds_names_and_the_published_port() -> None:
    made = kubeconfig.of_kind(OWN, "tour", "https://127.0.0.1:39647")
    assert made["current-context"] == "kind-tour"
    assert made["clusters"] == [
        {
            "name": "kind-tour",
            "cluster": {"server": "https://127.0.0.1:39647", "certificate-authority-data": "Q"},
        }
    ]
    assert made["users"] == [{"name": "kind-tour", "user": {"token": "secret"}}]


def test_other_clusters_in_the_kubeconfig_are_kept_and_the_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "config"
    for name in ("one", "two"):
        kubeconfig.write_merged(kubeconfig.of_kind(OWN, name, f"https://{name}"), str(path))
    both = yaml.safe_load(path.read_text())
    assert [entry["name"] for entry in both["clusters"]] == ["kind-one", "kind-two"]
    assert both["current-context"] == "kind-two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kubeconfig.remove("kind-two", str(path))
    left = yaml.safe_load(path.read_text())
    assert [entry["name"] for entry in left["contexts"]] == ["kind-one"]
    assert left["current-context"] == ""
    assert [file.name for file in tmp_path.iterdir()] == ["config"]


def test_a_locked_kubeconfig_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "config.lock").touch()
    with pytest.raises(KindError, match=r"failed to lock config file: open .*config\.lock: file exists"):
        kubeconfig.write_merged(kubeconfig.of_kind(OWN, "a", "https://a"), str(tmp_path / "config"))


# --- process 1 of a node


def test_a_published_port_is_forwarded_and_refused_where_nothing_listens(tmp_path: Path) -> None:
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.read()).upper())  # reads to the end: the half-close must come through
        writer.close()
        await writer.wait_closed()

    async def ask(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(b"hello")
            writer.write_eof()
            return await reader.read()
        finally:
            writer.close()

    async def scenario() -> None:
        target = await asyncio.start_server(shout, "127.0.0.1", 0)
        where: list[agent.Where] = [("127.0.0.1", target.sockets[0].getsockname()[1])]
        front = await asyncio.start_server(
            lambda reader, writer: agent.forward(reader, writer, lambda: where[0]), "127.0.0.1", 0
        )
        port = front.sockets[0].getsockname()[1]
        assert await ask(port) == b"HELLO"
        target.close()
        await target.wait_closed()
        with pytest.raises(ConnectionResetError):
            await ask(port)
        front.close()
        await front.wait_closed()

    asyncio.run(asyncio.wait_for(scenario(), 10))


def test_the_api_server_is_found_in_the_nodes_kubeconfig(tmp_path: Path) -> None:
    admin = tmp_path / "admin.conf"
    with pytest.raises(ConnectionRefusedError):
        agent.api_server(admin)
    admin.write_text(OWN)
    assert agent.api_server(admin) == ("127.0.0.1", 21234)
