"""Rules 5 to 8: what is applied and built, against the Pod Security Standards and the rules of the linters.

The rules are those of kube-linter, kube-score, Polaris and Checkov that mean something for these manifests.
Each that is not kept has its reason in WAIVED; that each rule can fail is a test of its own.
"""

from __future__ import annotations

import copy
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubetour.embedded.podsecurity_admission import RESTRICTED, violations
from kubetour.project import ROOT, TEMPLATES
from tests.making import SETTINGS, make_provider, templates

Manifest = dict[str, Any]


def deployment(kind: str) -> Manifest:
    found: Manifest = yaml.safe_load(templates(make_provider(kind))["deployment"])
    return found


def pod(manifest: Manifest) -> Manifest:
    found: Manifest = manifest["spec"]["template"]["spec"]
    return found


def containers(manifest: Manifest) -> list[Manifest]:
    return list(pod(manifest)["containers"])


def every(test: Callable[[Manifest], object]) -> Callable[[Manifest], bool]:
    return lambda manifest: all(test(container) for container in containers(manifest))


# A rule, and how a manifest is broken so that it must be found.
RULES: dict[str, tuple[Callable[[Manifest], bool], Callable[[Manifest], Any]]] = {
    "no token is mounted": (
        lambda m: pod(m).get("automountServiceAccountToken") is False,
        lambda m: pod(m).pop("automountServiceAccountToken"),
    ),
    "the root file system is read only": (
        every(lambda c: c["securityContext"].get("readOnlyRootFilesystem")),
        lambda m: containers(m)[0]["securityContext"].pop("readOnlyRootFilesystem"),
    ),
    "requests": (
        every(lambda c: {"cpu", "memory"} <= set(c["resources"]["requests"])),
        lambda m: containers(m)[0]["resources"]["requests"].pop("cpu"),
    ),
    "a limit of memory": (
        every(lambda c: "memory" in c["resources"]["limits"]),
        lambda m: containers(m)[0]["resources"]["limits"].pop("memory"),
    ),
    "a readiness probe": (
        every(lambda c: "readinessProbe" in c),
        lambda m: containers(m)[0].pop("readinessProbe"),
    ),
    "a tag that is not latest": (
        every(lambda c: re.fullmatch(r".+:[0-9a-f]{12}", c["image"])),
        lambda m: containers(m)[0].update(image="web:latest"),
    ),
    "ports above 1023": (
        every(lambda c: all(port["containerPort"] > 1023 for port in c.get("ports", ()))),
        lambda m: containers(m)[0]["ports"][0].update(containerPort=80),
    ),
    "no port of the host": (
        every(lambda c: all("hostPort" not in port for port in c.get("ports", ()))),
        lambda m: containers(m)[0]["ports"][0].update(hostPort=8080),
    ),
    "no secret in an environment variable": (
        every(lambda c: not re.search(r"secret|token|passw|key", str(c.get("env", "")), re.IGNORECASE)),
        lambda m: containers(m)[0].setdefault("env", []).append({"name": "API_TOKEN", "value": "x"}),
    ),
    "no namespace of the system": (
        lambda m: m["metadata"].get("namespace", "") not in ("kube-system", "kube-public"),
        lambda m: m["metadata"].update(namespace="kube-system"),
    ),
    "no volume": (lambda m: not pod(m).get("volumes"), lambda m: pod(m).update(volumes=[{"name": "v"}])),
    "its selector is its Pods' label": (
        lambda m: (
            m["spec"]["selector"]["matchLabels"].items()
            <= m["spec"]["template"]["metadata"]["labels"].items()
        ),
        lambda m: m["spec"]["selector"]["matchLabels"].update(app="other"),
    ),
    "a marked owner": (
        lambda m: m["metadata"]["labels"].get("app.kubernetes.io/managed-by") == "kubetour",
        lambda m: m["metadata"]["labels"].clear(),
    ),
}
WAIVED = {
    "CPU limits": "they throttle an app that nobody competes with; the request is what the scheduler needs",
    "an image by digest": "it is built here and loaded into the nodes; its tag is a digest of what is in it",
    "pull policy Always": "there is no registry to pull from, or the tag never means another image",
    "a user above 10000": "1000 is the base image's own user `node`",
    "a namespace of its own": "`--namespace` gives one; kubectl's own beginning is in `default`",
    "a liveness probe": "it restarts an app that is only busy; the app's process ends when it is broken",
    "a network policy": "anybody may ask the Service: that is what the tour shows",
    "HEALTHCHECK": "Kubernetes ignores it; the readiness probe is in the manifest",
    "a base image by digest": "the tag gets its makers' fixes; a digest would be old within weeks",
}


@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("rule", RULES)
def test_the_deployment_keeps_the_rule(kind: str, rule: str) -> None:
    assert RULES[rule][0](deployment(kind))


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_finds_what_breaks_it(rule: str) -> None:
    keeps, break_it = RULES[rule]
    broken = copy.deepcopy(deployment("kind"))
    break_it(broken)
    assert not keeps(broken)


@pytest.mark.parametrize("kind", SETTINGS)
def test_its_pods_meet_every_control_of_the_restricted_standard(kind: str) -> None:
    assert violations(RESTRICTED, deployment(kind)["spec"]["template"]) == []


def test_every_waiver_has_its_reason_in_the_docs() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    for rule, reason in WAIVED.items():
        assert f"| {rule} | {reason} |" in text


def test_no_template_has_a_value_that_is_not_written_as_json() -> None:
    for path in TEMPLATES.glob("*.yaml.j2"):
        for value in re.findall(r"\{\{(.*?)\}\}", path.read_text(encoding="utf-8")):
            assert value.strip().endswith("| tojson"), f"{path.name}: {value}"


def test_a_port_of_this_machine_is_mapped_on_loopback_only() -> None:
    config = yaml.safe_load((ROOT / "kind-config.yaml").read_text(encoding="utf-8"))
    mappings = [m for node in config["nodes"] for m in node.get("extraPortMappings", ())]
    assert {mapping["listenAddress"] for mapping in mappings} == {"127.0.0.1"}


def instructions() -> list[tuple[str, str]]:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    return [(line.split()[0], line.partition(" ")[2]) for line in lines if line and not line.startswith("#")]


def test_the_dockerfile_keeps_the_rules() -> None:
    found = dict(instructions())
    assert re.fullmatch(r"BASE=\S+:[\w.-]+", found["ARG"]), "a base with a tag"
    assert not found["ARG"].endswith(":latest")
    assert found["USER"].isdigit(), "a number: Kubernetes cannot judge a name"
    assert found["USER"] != "0"
    assert found["ENTRYPOINT"].startswith("["), "no shell in between"
    assert {"ADD", "RUN", "SHELL", "ONBUILD"}.isdisjoint(found), "nothing is fetched, nothing installed"
    assert int(found["EXPOSE"]) > 1023
    names = [name for name, _ in instructions()]
    assert names.index("USER") < names.index("ENTRYPOINT")


def hadolint() -> Path:
    found = sorted((ROOT / ".kubetour").glob("hadolint-*"))
    if not found and os.environ.get("CI"):
        pytest.fail("CI must have hadolint: .ci/hadolint fetches it by pip")
    if not found:
        pytest.skip("hadolint not found: .ci/hadolint fetches it by pip")
    return found[-1]


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    done = subprocess.run(
        [hadolint(), "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_hadolint_finds_what_is_wrong(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM node:latest\nUSER root\nCMD node app.js\n")
    done = subprocess.run([hadolint(), "--no-color", bad], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    for rule in ("DL3007", "DL3002", "DL3025"):
        assert rule in done.stdout
