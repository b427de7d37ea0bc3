"""cgroup v1: which nodes need the patch, and that the config has it where the engine says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from kubetour.cgroups import allowed, refuses, version_in
from tests.making import TOOLS, make_provider

DIGEST = "sha256:" + "0123456789abcdef" * 4


def config(*images: str, **given: Any) -> dict[str, Any]:
    nodes = [{"role": "control-plane", **({"image": image} if image else {})} for image in images]
    return {"kind": "Cluster", "nodes": nodes, **given}


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("kindest/node:v1.34.0", (1, 34)),
        (f"kindest/node:v1.36.1@{DIGEST}", (1, 36)),
        ("mirror.example:5000/kindest/node:v1.9.11", (1, 9)),
        ("kindest/node:v1.37.0-rc.1", (1, 37)),
        ("kindest/node:latest", None),
        (f"kindest/node@{DIGEST}", None),
        ("registry.example:v1.35/node", None),
        ("", None),
    ],
)
def test_a_node_image_tells_its_version_by_its_tag(image: str, version: tuple[int, ...] | None) -> None:
    assert version_in(image) == version


@pytest.mark.parametrize(
    ("images", "kind", "expected"),
    [
        (("",), "0.30.0", False),
        (("",), "0.31.0", True),
        (("",), "0.33.0-alpha+1a2b3c", True),
        (("",), "1.0.0", True),
        (("",), "", False),
        (("kindest/node:v1.34.11",), "0.33.0", False),
        (("kindest/node:v1.35.0",), "0.30.0", True),
        (("kindest/node:v1.34.11", "kindest/node:v1.35.0"), "0.33.0", True),
        (("kindest/node:v1.34.11", ""), "0.33.0", True),
        (("mine/node:latest",), "0.33.0", False),
    ],
    ids=[
        "the last kind with 1.34",
        "the first kind with 1.35",
        "a kind built from source",
        "a kind to come",
        "a kind that tells no version",
        "an older image named",
        "a newer image named",
        "the newest node counts",
        "the default counts, too",
        "an image that tells nothing",
    ],
)
def test_a_kubelet_from_1_35_on_refuses_cgroup_v1(images: tuple[str, ...], kind: str, expected: bool) -> None:
    assert refuses(config(*images), kind) is expected


@pytest.mark.parametrize(
    ("image", "expected"), [("kindest/node:v1.34.11", False), ("kindest/node:v1.35.0", True), ("mine", False)]
)
def test_an_image_for_all_nodes_counts_alone(image: str, expected: bool) -> None:
    assert refuses(config("kindest/node:v1.36.1", ""), "0.33.0", image) is expected


def test_the_patch_is_one_that_kind_matches_by_its_kind() -> None:
    patch = yaml.safe_load(allowed(config(""), "0.33.0")["kubeadmConfigPatches"][0])
    assert patch == {"kind": "KubeletConfiguration", "failCgroupV1": False}


def test_patches_of_ones_own_stay_and_come_first() -> None:
    own = "kind: ClusterConfiguration\n"
    patches = allowed(config("", kubeadmConfigPatches=[own]), "0.33.0")["kubeadmConfigPatches"]
    assert (patches[0], len(patches)) == (own, 2)


def test_who_has_decided_it_is_not_overruled() -> None:
    own = config("", kubeadmConfigPatches=["kind: KubeletConfiguration\nfailCgroupV1: true\n"])
    assert allowed(own, "0.33.0") == own


def test_the_given_config_is_not_changed() -> None:
    given = config("", kubeadmConfigPatches=[])
    allowed(given, "0.33.0")
    assert given == config("", kubeadmConfigPatches=[])


@pytest.mark.parametrize(
    ("cgroup", "kind", "patched"),
    [(1, "0.32.0", True), (1, "0.30.0", False), (2, "0.32.0", False), (0, "0.32.0", False)],
)
def test_what_kind_is_given_has_the_patch_where_the_engine_has_cgroup_v1(
    cgroup: int, kind: str, patched: bool
) -> None:
    tools = replace(TOOLS["kind"], cgroup=cgroup, kind_version=kind)
    (step,) = make_provider("kind", tools=tools).up()
    shown = step.actions[0].stdin or ""
    assert ("  failCgroupV1: false\n" in shown) is patched
    assert ("# cgroup v1" in shown) is patched, "it says why"
    assert ("failCgroupV1" in str(yaml.safe_load(shown))) is patched


def test_the_embedded_cluster_has_no_kubelet_that_could_refuse() -> None:
    (step,) = make_provider("embedded").up()
    assert "failCgroupV1" not in (step.actions[0].stdin or "")
