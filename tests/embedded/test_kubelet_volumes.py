"""Volumes of real processes: what they find below their working directory, and when it changes."""

from __future__ import annotations

import pytest

from kubetour.embedded.network import loopback_range_usable
from tests.embedded.node import SERVE, FastClock, Node, Object, container, on_a_node, statuses, until_printed

pytestmark = pytest.mark.skipif(not loopback_range_usable(), reason="only 127.0.0.1 is usable here")


def mounted(path: str, name: str = "v", **more: str) -> Object:
    return {"volumeMounts": [{"name": name, "mountPath": path, **more}]}


def config_map(node: Node, **data: str) -> None:
    node.registry.create("configmaps", {"metadata": {"name": "m"}, "data": data}, "default")


CONFIG = [{"name": "v", "configMap": {"name": "m"}}]


@on_a_node()
async def test_a_config_map_is_there_as_files(node: Node) -> None:
    config_map(node, greeting="hello")
    node.load("cat config/greeting $HOME/app/config/greeting; " + SERVE)
    node.create(mounted("/app/config"), volumes=CONFIG)
    await node.ready()
    await until_printed(node, "hellohello")
    text = dict(node.events())["MountedInDirectory"]
    assert text.startswith(
        "an embedded cluster mounts in the container's own directory: /app/config are there"
    )


@on_a_node()
async def test_a_path_in_a_command_is_found_in_a_volume(node: Node) -> None:
    config_map(node, greeting="hello")
    node.load(SERVE)
    node.create(
        {**mounted("/etc/conf"), "command": ["cat", "/etc/conf/greeting"]},
        volumes=CONFIG,
        restartPolicy="Never",
    )
    await node.phase("Succeeded")
    assert await node.logs() == (200, "hello")


@on_a_node()
async def test_one_file_of_a_volume_is_mounted_alone(node: Node) -> None:
    config_map(node, greeting="hello", other="x")
    node.load("cat one/file; ls one; " + SERVE)
    node.create(mounted("/app/one/file", subPath="greeting"), volumes=CONFIG)
    await until_started(node)
    await until_printed(node, "hellofile\n")


async def until_started(node: Node) -> None:
    await node.until(lambda: statuses(node.pod()) and container(node.pod())["started"])


@on_a_node(FastClock)
async def test_a_pod_waits_for_a_config_map_that_is_not_there(node: Node) -> None:
    node.load(SERVE)
    node.create(mounted("/app/v"), volumes=CONFIG)
    text = 'MountVolume.SetUp failed for volume "v" : configmap "m" not found'
    await node.until(lambda: ("FailedMount", text) in node.events())
    assert container(node.pod())["state"] == {"waiting": {"reason": "ContainerCreating"}}
    config_map(node, a="1")
    await node.ready()


@on_a_node(FastClock)
async def test_a_change_of_a_config_map_arrives(node: Node) -> None:
    config_map(node, a="one")
    node.load("trap 'exit 0' TERM; while :; do cat v/a; echo; sleep 0.02; done")
    node.create(mounted("/app/v"), volumes=CONFIG)
    await until_started(node)
    await until_printed(node, "one")
    node.registry.patch("configmaps", "m", {"data": {"a": "two"}}, "default")
    await until_printed(node, "two")


@on_a_node(FastClock)
async def test_an_empty_dir_is_shared_and_outlives_containers_but_not_the_pod(node: Node) -> None:
    node.load("cat shared/file; echo again >> shared/file; exit 1")
    node.create(
        mounted("/app/shared"),
        {"name": "d", **mounted("/app/shared")},
        volumes=[{"name": "v", "emptyDir": {}}],
    )
    await node.until(lambda: statuses(node.pod()) and container(node.pod())["restartCount"] >= 1)
    await until_printed(node, "again")
    node.registry.delete("pods", "p", "default")
    await node.until(node.gone)
    await node.until(lambda: list((node.directory / "pods").iterdir()) == [])


@on_a_node()
async def test_a_host_path_is_this_machines(node: Node) -> None:
    here = node.root / "here"
    here.mkdir()
    (here / "kept").touch()
    node.load("echo x > data/file; exit 0")
    volumes = [{"name": "v", "hostPath": {"path": str(here), "type": "Directory"}}]
    node.create(mounted("/app/data"), volumes=volumes, restartPolicy="Never")
    await node.phase("Succeeded")
    node.registry.delete("pods", "p", "default")
    await node.until(node.gone)
    assert sorted(path.name for path in here.iterdir()) == ["file", "kept"]


@on_a_node()
async def test_a_host_path_that_is_not_there_is_said(node: Node) -> None:
    node.load(SERVE)
    node.create(
        mounted("/app/data"), volumes=[{"name": "v", "hostPath": {"path": "/no/such", "type": "Directory"}}]
    )
    why = "hostPath type check failed: /no/such is not a directory"
    text = f'MountVolume.SetUp failed for volume "v" : {why}'
    await node.until(lambda: ("FailedMount", text) in node.events())


@on_a_node()
async def test_a_kind_of_volume_that_is_not_there_is_said_and_the_pod_runs(node: Node) -> None:
    node.load(SERVE)
    node.create(mounted("/app/data"), volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "x"}}])
    await node.ready()
    assert "no volumes of the kind persistentVolumeClaim" in dict(node.events())["FailedMount"]
