"""Manifests: as recorded, safe for any value, and errors with file and line."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kubetour.errors import UsageError
from kubetour.manifests import kind_config, load_kind_config, node_names, render, to_yaml
from kubetour.project import NODE_OWNED_BY, OWNED_BY, OWNER, ROOT, TEMPLATES
from kubetour.providers import Provider
from tests.making import make_provider, templates, values

KINDS = ("deployment", "service", "namespace")
# What JSON, which the templates write, and YAML read alike: surrogate pairs are two characters to YAML.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0xFFFF), max_size=20)


@pytest.mark.parametrize("kind", KINDS)
def test_a_manifest_is_as_recorded(kind: str, golden: Callable[[str, str], None]) -> None:
    golden(f"{kind}.yaml", make_provider("kind", first_replicas=3).templates[kind])


@pytest.mark.parametrize(("workers", "file"), [(None, "kind-config.yaml"), (0, "kind-config.0.yaml")])
def test_the_kind_config_is_as_recorded(
    workers: int | None, file: str, golden: Callable[[str, str], None]
) -> None:
    config = load_kind_config(ROOT / "kind-config.yaml", "kind-config.yaml")
    golden(file, to_yaml(kind_config(config, workers, 30081, 30080)))


def parsed(kind: str, **changed: Any) -> dict[str, Any]:
    text = render(TEMPLATES, f"{kind}.yaml.j2", {**values(make_provider("kind")), **changed})
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


@settings(max_examples=15)
@given(name=TEXTS, image=TEXTS, digest=TEXTS)
def test_any_text_comes_back_from_the_yaml_as_it_was_and_adds_no_key(
    name: str, image: str, digest: str
) -> None:
    item = parsed("deployment", name=name, image=image, digest=digest)
    pod = item["spec"]["template"]
    assert item["metadata"]["name"] == name
    assert item["spec"]["selector"] == {"matchLabels": {"app": name}}
    assert pod["spec"]["containers"][0]["image"] == image
    assert pod["metadata"]["annotations"] == {"kubetour.dev/build-context": digest}
    assert shape(item) == shape(yaml.safe_load(make_provider("kind").templates["deployment"]))


def shape(item: object) -> object:
    """Return the keys of a document, without its values."""
    if isinstance(item, dict):
        return {key: shape(value) for key, value in item.items()}
    return [shape(value) for value in item] if isinstance(item, list) else type(item)


@pytest.mark.parametrize("name", ["no", "yes", "on", "null", "1e3", "0x10", "1_000", "2026-11-23", "~", "y"])
def test_a_name_that_yaml_would_read_as_something_else_stays_a_text(name: str) -> None:
    for kind in ("deployment", "service"):
        item = parsed(kind, name=name)
        assert item["metadata"]["name"] == name
        assert item["metadata"]["labels"]["app"] == name
    assert parsed("namespace", namespace=name)["metadata"]["name"] == name


def test_numbers_stay_numbers() -> None:
    item = parsed("deployment", replicas=7, port=9000)
    assert item["spec"]["replicas"] == 7
    assert item["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"] == 9000


def test_pods_meet_the_restricted_pod_security_standard() -> None:
    # https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    pod = parsed("deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC", "volumes"}.intersection(pod)
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert not context.get("privileged")


@pytest.mark.parametrize(
    ("non_root", "drop", "read_only"),
    [(True, True, False), (False, True, False), (False, False, False)],
    ids=["a numbered user", "a named user", "root"],
)
def test_an_app_that_is_not_ours_gets_the_rights_that_its_user_needs(
    non_root: bool, drop: bool, read_only: bool
) -> None:
    changed = {"non_root": non_root, "drop_capabilities": drop, "read_only": read_only}
    pod = parsed("deployment", **changed)["spec"]["template"]["spec"]
    context = pod["containers"][0]["securityContext"]
    assert pod["securityContext"].get("runAsNonRoot", False) is non_root
    assert ("capabilities" in context) is drop
    assert "readOnlyRootFilesystem" not in context
    assert context["allowPrivilegeEscalation"] is False
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


def test_the_namespace_lets_in_what_kubectl_run_makes() -> None:
    # `kubectl run` sets no securityContext, which "restricted" asks for and "baseline" does not.
    namespace = parsed("namespace")["metadata"]["labels"]
    assert namespace["pod-security.kubernetes.io/enforce"] == "baseline"


def test_whatever_is_applied_carries_our_mark(provider: Provider) -> None:
    for text in templates(provider).values():
        assert yaml.safe_load(text)["metadata"]["labels"][OWNED_BY] == OWNER


def test_an_image_that_is_there_is_not_pulled() -> None:
    container = parsed("deployment")["spec"]["template"]["spec"]["containers"][0]
    assert container["imagePullPolicy"] == "IfNotPresent"


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        ("/healthz", {"httpGet": {"path": "/healthz", "port": "http"}}),
        (None, {"tcpSocket": {"port": "http"}}),
    ],
)
def test_an_app_that_is_not_ours_is_probed_by_a_connection(
    probe: str | None, expected: dict[str, Any]
) -> None:
    container = parsed("deployment", probe=probe)["spec"]["template"]["spec"]["containers"][0]
    assert container["readinessProbe"] == {**expected, "periodSeconds": 1}


@pytest.mark.parametrize(("node_port", "expected"), [(30080, 30080), (None, None)])
def test_a_node_port_is_asked_for_only_where_one_is_mapped(
    node_port: int | None, expected: int | None
) -> None:
    assert parsed("service", node_port=node_port)["spec"]["ports"][0].get("nodePort") == expected


BROKEN = {
    "undefined": ("kind: Pod\nname: {{ nam | tojson }}\n", "template-broken", 2),
    "undefined, used": ("kind: Pod\n\nname: {{ nam }}\n", "template-broken", 3),
    "syntax": ("kind: Pod\nname: {{ name\n", "template-broken", 2),
    "unclosed block": ("kind: Pod\n{% if name %}\n", "template-broken", 2),
    "no such filter": ("kind: {{ name | to_yml }}\n", "template-broken", 1),
    "a way out of the sandbox": ("kind: Pod\na: {{ ''.__class__.__mro__ }}\n", "template-broken", 2),
    "a division by zero": ("kind: Pod\na: {{ 1 / 0 }}\n", "template-broken", 2),
    "no YAML": ("kind: Pod\n  a: [\n", "template-not-yaml", None),
    "a list": ("- kind\n", "template-not-yaml", None),
    "nothing": ("", "template-not-yaml", None),
    "no kind": ("name: a\n", "template-not-yaml", None),
    "two documents": ("kind: A\n---\nkind: B\n", "template-not-yaml", None),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_template_is_told_with_file_and_line(what: str, tmp_path: Path) -> None:
    text, key, line = BROKEN[what]
    (tmp_path / "pod.yaml.j2").write_text(text)
    with pytest.raises(UsageError) as caught:
        render(tmp_path, "pod.yaml.j2", {"name": "web"})
    assert caught.value.key == key
    assert caught.value.values["file"] == "pod.yaml.j2"
    if line:
        assert caught.value.values["line"] == line
    for language in ("en", "zh"):
        assert "pod.yaml.j2" in caught.value.explain(language)[0]


def test_a_template_that_has_changed_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "pod.yaml.j2"
    for number, text in enumerate(("kind: A\n", "kind: B\n", "kind: C\n"), 1):
        file.write_text(text)
        os.utime(file, (number, number))
        assert render(tmp_path, "pod.yaml.j2", {}) == text


def test_a_template_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        render(tmp_path, "pod.yaml.j2", {})
    assert caught.value.key == "template-missing"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "kind.yaml"
    path.write_text(text)
    return path


HEAD = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "nodes: []\n",
        "kind: Pod\n",
        f"{HEAD}nodes: 3\n",
        f"{HEAD}nodes: [worker]\n",
        f"{HEAD}nodes: [{{role: worker}}]\n",
        "a: [",
        "\x00",
    ],
)
def test_a_file_that_is_no_kind_config_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_kind_config(write(tmp_path, text), "shown.yaml")
    assert caught.value.key == "config-invalid"
    assert caught.value.values["file"] == "shown.yaml"


def test_a_kind_config_that_is_not_there_or_not_text_or_huge_is_refused(tmp_path: Path) -> None:
    huge = write(tmp_path, "#" * (1024 * 1024 + 1))
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    for path in (tmp_path / "absent.yaml", tmp_path, binary, huge):
        with pytest.raises(UsageError) as caught:
            load_kind_config(path, "shown.yaml")
        assert caught.value.key == "config-invalid"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (HEAD, ("c-control-plane",)),
        (f"{HEAD}nodes:\n", ("c-control-plane",)),
        (f"{HEAD}nodes: []\n", ("c-control-plane",)),
        (f"{HEAD}nodes: [{{}}]\n", ("c-control-plane",)),
        (
            f"{HEAD}nodes: [{{role: worker}}, {{role: control-plane}}, {{role: worker}}, {{role: worker}}]\n",
            ("c-worker", "c-control-plane", "c-worker2", "c-worker3"),
        ),
    ],
    ids=["none", "null", "empty", "no role", "four"],
)
def test_nodes_are_named_as_kind_names_them(text: str, names: tuple[str, ...], tmp_path: Path) -> None:
    assert node_names(load_kind_config(write(tmp_path, text), "x"), "c") == names


def test_workers_are_made_like_the_first_one_and_nothing_else_changes(tmp_path: Path) -> None:
    text = (
        f"{HEAD}networking: {{ipFamily: ipv4}}\nnodes:\n"
        "- role: control-plane\n  labels:\n  extraPortMappings:\n"
        "  - {containerPort: 443, hostPort: 8443}\n  - {containerPort: 30080, hostPort: 1}\n"
        "- role: worker\n  image: kindest/node:v1\n  labels: {tier: a}\n- role: worker\n"
    )
    config = load_kind_config(write(tmp_path, text), "x")
    made = kind_config(config, 3, 31000, 30080)
    assert made["networking"] == {"ipFamily": "ipv4"}
    control, *workers = made["nodes"]
    assert control["extraPortMappings"] == [
        {"containerPort": 443, "hostPort": 8443},
        {"containerPort": 30080, "hostPort": 31000, "listenAddress": "127.0.0.1"},
    ]
    mark = {NODE_OWNED_BY: OWNER}
    assert control["labels"] == mark
    assert workers == [{"role": "worker", "image": "kindest/node:v1", "labels": {"tier": "a", **mark}}] * 3
    assert len(config["nodes"]) == 3, "the config itself stays as it was"
    assert "labels" in to_yaml(made)


def test_without_a_number_of_workers_the_config_keeps_its_own() -> None:
    config = load_kind_config(ROOT / "kind-config.yaml", "x")
    assert len(kind_config(config, None, 30080, 30080)["nodes"]) == len(config["nodes"])
    assert [node["role"] for node in kind_config(config, 0, 1, 30080)["nodes"]] == ["control-plane"]
