"""Decoding: types checked in Go's words, unknown fields found, nulls dropped, quantities made canonical."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.embedded.api import StatusError
from kubetour.embedded.decoding import decode, reject_unknown
from kubetour.embedded.resources import by_plural

DEPLOYMENTS, PODS = by_plural("deployments"), by_plural("pods")


def pod(**container: Any) -> Any:
    return {"spec": {"containers": [container]}}


@pytest.mark.parametrize(
    ("plural", "obj", "message"),
    [
        (
            "deployments",
            {"spec": {"replicas": "lots"}},
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            "pods",
            pod(ports=[{"containerPort": "x"}]),
            "json: cannot unmarshal string into Go struct field "
            "ContainerPort.spec.containers.ports.containerPort of type int32",
        ),
        (
            "pods",
            {"spec": {"containers": {}}},
            "json: cannot unmarshal object into Go struct field PodSpec.spec.containers "
            "of type []v1.Container",
        ),
        (
            "pods",
            {"spec": []},
            "json: cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec",
        ),
        (
            "pods",
            {"metadata": {"labels": {"a": 1}}},
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels.a of type string",
        ),
        (
            "pods",
            {"spec": {"hostNetwork": "yes"}},
            "json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool",
        ),
        (
            "deployments",
            {"spec": {"replicas": 2**40}},
            f"json: cannot unmarshal number {2**40} into Go struct field DeploymentSpec.spec.replicas "
            "of type int32",
        ),
        (
            "pods",
            pod(resources={"limits": {"cpu": "much"}}),
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
    ],
)
def test_a_wrong_type_is_refused_in_gos_words(plural: str, obj: Any, message: str) -> None:
    resource = by_plural(plural)
    with pytest.raises(StatusError) as caught:
        decode(resource, obj)
    kind = resource.kind
    assert caught.value.code == 400
    assert caught.value.message == f'{kind} in version "v1" cannot be handled as a {kind}: {message}'


def test_unknown_fields_are_named_with_their_path() -> None:
    obj = {"foo": 1, "spec": {"replicaz": 2, "template": {"spec": {"containers": [{}, {"imagee": "x"}]}}}}
    decoded, unknown = decode(DEPLOYMENTS, obj)
    assert unknown == ["foo", "spec.replicaz", "spec.template.spec.containers[1].imagee"]
    assert decoded["spec"] == {"template": {"spec": {"containers": [{}, {}]}}}
    with pytest.raises(StatusError, match=r'strict decoding error: unknown field "foo", unknown field "spec'):
        reject_unknown(DEPLOYMENTS, unknown)


def test_nulls_and_empty_lists_are_as_if_absent_but_empty_structs_count() -> None:
    container: Any = {"name": "c", "env": [], "command": None, "resources": {}}
    obj = {
        "metadata": {"creationTimestamp": None, "labels": {}},
        "spec": {"containers": [container], "volumes": [{"name": "v", "emptyDir": {}}]},
        "status": {"conditions": [{"type": "Ready", "lastProbeTime": None, "lastTransitionTime": None}]},
    }
    decoded, _ = decode(PODS, obj)
    assert decoded["metadata"] == {}
    assert decoded["spec"]["containers"] == [{"name": "c", "resources": {}}]
    assert decoded["spec"]["volumes"] == [{"name": "v", "emptyDir": {}}]
    assert decoded["status"]["conditions"] == [{"type": "Ready", "lastProbeTime": None, "status": ""}]
    assert list(decoded)[:3] == ["kind", "apiVersion", "metadata"]


def test_quantities_become_canonical() -> None:
    decoded, _ = decode(PODS, pod(name="c", resources={"limits": {"cpu": 1, "memory": "1024Mi"}}))
    limits = decoded["spec"]["containers"][0]["resources"]["limits"]
    assert limits == {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("field", "text", "kept"),
    [
        ("lastTimestamp", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("lastTimestamp", "2026-01-02T03:04:05.9Z", "2026-01-02T03:04:05Z"),
        ("lastTimestamp", "2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z"),
        ("eventTime", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"),
        ("eventTime", "2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.500000Z"),
        ("eventTime", "2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456Z"),
    ],
)
def test_times_are_kept_in_utc_and_in_their_own_precision(field: str, text: str, kept: str) -> None:
    assert decode(by_plural("events"), {field: text})[0][field] == kept


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-02T03:04:05Z", "2026-01-02", "0001-01-01T00:00:00+23:00"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(StatusError, match="parsing time"):
        decode(by_plural("events"), {"lastTimestamp": text})


def test_zero_and_false_are_values() -> None:
    decoded, _ = decode(DEPLOYMENTS, {"spec": {"replicas": 0, "paused": False}})
    assert decoded["spec"] == {"replicas": 0, "paused": False}


@pytest.mark.parametrize("obj", [None, [], "text", {"kind": "Service"}, {"apiVersion": "v2"}], ids=repr)
def test_what_is_not_of_the_kind_is_400(obj: Any) -> None:
    with pytest.raises(StatusError) as caught:
        decode(PODS, obj)
    assert caught.value.code == 400


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["metadata", "spec", "containers", "ports", "replicas", "labels", "x"]),
            inner,
            max_size=4,
        )
    ),
)


@given(ANY)
def test_whatever_is_sent_is_decoded_or_refused_with_400(obj: Any) -> None:
    code = 0
    try:
        decoded, _ = decode(PODS, obj)
    except StatusError as error:
        code = error.code
    else:
        assert decode(PODS, json.loads(json.dumps(decoded)))[0] == decoded, "decoding again changes nothing"
    assert code in (0, 400)


@pytest.mark.parametrize(
    ("plural", "field", "fields"),
    [
        ("nodes", "addresses", {"type", "address"}),
        ("nodes", "conditions", {"type", "status"}),
        ("pods", "conditions", {"type", "status"}),
        ("deployments", "conditions", {"type", "status"}),
        ("replicasets", "conditions", {"type", "status"}),
        ("namespaces", "conditions", {"type", "status"}),
    ],
)
def test_texts_that_go_writes_though_they_are_empty_are_there(
    plural: str, field: str, fields: set[str]
) -> None:
    decoded, _ = decode(by_plural(plural), {"status": {field: [{}]}})
    assert decoded["status"][field] == [dict.fromkeys(fields, "")]
