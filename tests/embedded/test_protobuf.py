"""Protobuf bodies as kubectl 1.33 sends them, and whatever else may come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.embedded import protobuf
from kubetour.embedded.api import StatusError
from kubetour.embedded.schema import structs

BODIES = {
    name: bytes.fromhex(text)
    for name, text in json.loads(
        (Path(__file__).parent / "recorded/kubectl-1.33-protobuf.json").read_text(encoding="utf-8")
    ).items()
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "deployment",
            {
                "kind": "Deployment",
                "apiVersion": "apps/v1",
                "metadata": {"name": "web", "labels": {"app": "web"}},
                "spec": {
                    "replicas": 2,
                    "selector": {"matchLabels": {"app": "web"}},
                    "template": {
                        "metadata": {"labels": {"app": "web"}},
                        "spec": {
                            "containers": [
                                {
                                    "name": "app",
                                    "image": "app:1.0",
                                    "ports": [{"containerPort": 8080}],
                                    "resources": {},
                                }
                            ]
                        },
                    },
                    "strategy": {},
                },
                "status": {},
            },
        ),
        (
            "service",
            {
                "kind": "Service",
                "apiVersion": "v1",
                "metadata": {"name": "n", "labels": {"app": "n"}},
                "spec": {
                    "ports": [
                        {
                            "name": "80-8080",
                            "protocol": "TCP",
                            "port": 80,
                            "targetPort": 8080,
                            "nodePort": 30123,
                        }
                    ],
                    "selector": {"app": "n"},
                    "type": "NodePort",
                },
                "status": {"loadBalancer": {}},
            },
        ),
        (
            "role",
            {
                "kind": "Role",
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "metadata": {"name": "r"},
                "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}],
            },
        ),
    ],
)
def test_a_body_reads_as_the_json_it_stands_for(name: str, expected: Any) -> None:
    assert protobuf.parse(BODIES[name]) == expected


def test_bytes_become_base64() -> None:
    assert protobuf.parse(BODIES["secret"])["data"] == {"a": "Yg=="}


@given(st.sampled_from(sorted(BODIES)), st.data())
def test_a_damaged_body_is_400_or_still_an_object(name: str, data: st.DataObject) -> None:
    body = bytearray(BODIES[name])
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    for damaged in (bytes(body), bytes(body[:cut])):
        code = 0
        try:
            assert isinstance(protobuf.parse(damaged), dict)
        except StatusError as error:
            code = error.code
        assert code in (0, 400)


def test_every_field_number_leads_to_a_field_that_is_known() -> None:
    unknown = {
        (struct, field)
        for struct, numbers in protobuf._messages().items()
        if struct in structs()
        for field in numbers.values()
        if not field.startswith("+") and field.rstrip("*") not in structs()[struct]
    }
    assert unknown == set()
