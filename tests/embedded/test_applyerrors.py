"""What server-side apply refuses, in the words of structured-merge-diff."""

from __future__ import annotations

from typing import Any

import pytest

from kubetour.embedded.applyerrors import message, problems

CONTAINERS = ".spec.template.spec.containers"
NO_NAME = (
    'associative list with keys has an element that omits key field "name" (and doesn\'t have default value)'
)
GO_VALUE = "&value.valueUnstructured{Value:"


def pod(**container: Any) -> Any:
    return {"spec": {"template": {"spec": {"containers": [{"name": "c", **container}]}}}}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (pod(image="x"), []),
        ({"spec": {"replica": 2}}, [".spec.replica: field not declared in schema"]),
        ({"spec": {"replicas": "2"}}, [".spec.replicas: expected numeric (int or float), got string"]),
        ({"spec": {"replicas": None}}, []),
        ({"spec": {"paused": "x"}}, [".spec.paused: expected boolean, got &{x}"]),
        ({"spec": [1, True]}, [".spec: expected map, got &{[1 true]}"]),
        ({"metadata": {"labels": {"a": 1}}}, [f".metadata.labels.a: expected string, got {GO_VALUE}1}}"]),
        ({"metadata": {"labels": "x"}}, [".metadata.labels: expected map, got &{x}"]),
        (
            pod(env=[{"name": "A", "value": {"b": [1.5]}}]),
            [
                f'{CONTAINERS}[name="c"].env[name="A"].value: expected string, got '
                f'{GO_VALUE}map[string]interface {{}}{{"b":[]interface {{}}{{1.5}}}}}}'
            ],
        ),
        (
            pod(env=[{"name": "A"}, {"value": "x"}, {"name": "A"}]),
            [
                f'{CONTAINERS}[name="c"].env: element 1: {NO_NAME}',
                f'{CONTAINERS}[name="c"].env: duplicate entries for key [name="A"]',
            ],
        ),
        (
            pod(ports=[{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}]),
            [f'{CONTAINERS}[name="c"].ports: duplicate entries for key [containerPort=80,protocol="TCP"]'],
        ),
        (pod(command=["a", "a"]), []),
        (pod(command=["a", 1]), [f'{CONTAINERS}[name="c"].command[1]: expected string, got {GO_VALUE}1}}']),
        (pod(command="a"), [f'{CONTAINERS}[name="c"].command: expected list, got &{{a}}']),
        (pod(resources={"limits": {"cpu": 1}}), []),  # what a quantity is, the API decides later
    ],
)
def test_each_problem_is_named_with_its_path(config: Any, expected: list[str]) -> None:
    assert problems("V1Deployment", config) == expected


@pytest.mark.parametrize(
    ("found", "said"), [([".a: x"], ".a: x"), ([".a: x", ".b: y"], "errors:\n  .a: x\n  .b: y")]
)
def test_several_problems_are_a_list(found: list[str], said: str) -> None:
    assert message("default/web; apps/v1, Kind=Deployment", found) == (
        f"failed to create typed patch object (default/web; apps/v1, Kind=Deployment): {said}"
    )
