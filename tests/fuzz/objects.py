"""Objects of every kind: good ones, and what the schema, or nobody, would make of them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests import hostile

Draw = Callable[[st.SearchStrategy[Any]], Any]
Schemas = dict[str, Any]

_CONTAINER = {"name": "c", "image": "app:1", "ports": [{"containerPort": 8080}]}
_TEMPLATE = {"metadata": {"labels": {"app": "f"}}, "spec": {"containers": [_CONTAINER]}}
_WORKLOAD = {"replicas": 1, "selector": {"matchLabels": {"app": "f"}}, "template": _TEMPLATE}
# What makes an object of a kind a good one, beside its name; of the rest, nothing is asked.
GOOD: dict[str, dict[str, Any]] = {
    "ConfigMap": {"data": {"k": "v"}},
    "ControllerRevision": {"revision": 1},
    "DaemonSet": {"spec": {key: value for key, value in _WORKLOAD.items() if key != "replicas"}},
    "Deployment": {"spec": _WORKLOAD},
    "EndpointSlice": {
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.0.0.1"]}],
        "ports": [{"port": 80}],
    },
    "Endpoints": {"subsets": [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80}]}]},
    "Event": {"involvedObject": {"namespace": "default"}, "reason": "R", "type": "Normal", "message": "m"},
    "HorizontalPodAutoscaler": {
        "spec": {
            "maxReplicas": 3,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "f0"},
        }
    },
    "Job": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [_CONTAINER]}}}},
    "Lease": {"spec": {"holderIdentity": "h"}},
    "Node": {"spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]}},
    "Pod": {"spec": {"containers": [_CONTAINER]}},
    "PodDisruptionBudget": {"spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "f"}}}},
    "ReplicaSet": {"spec": _WORKLOAD},
    "Role": {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
    "RoleBinding": {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "f0"}},
    "Secret": {"stringData": {"k": "v"}},
    "Service": {"spec": {"selector": {"app": "f"}, "ports": [{"port": 80, "targetPort": 8080}]}},
    "StatefulSet": {"spec": {**_WORKLOAD, "serviceName": "f0"}},
    "Scale": {"spec": {"replicas": 2}},
    "Binding": {"target": {"kind": "Node", "name": "pytest-control-plane"}},
    "Eviction": {"deleteOptions": {}},
}
NAMES = ("f0", "f1", "f2")
WORDS = hostile.strings(20)
NUMBERS = st.one_of(st.integers(-3, 70000), st.sampled_from([2**31, 2**63, -(2**63), 10**30, 10**400]))
FLOATS = st.sampled_from([0.5, -1.0, 1e308, float("inf"), float("nan")])
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, FLOATS, WORDS)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)
_BY_TYPE = {
    "string": st.one_of(
        WORDS,
        st.sampled_from(
            ["app", "10%", "1Gi", "100m", "ClusterIP", "None", "RollingUpdate", "Always", "http", "10.0.0.1"]
        ),
    ),
    "integer": NUMBERS,
    "boolean": st.booleans(),
    "number": NUMBERS | FLOATS,
}
_TIMES = st.sampled_from(["2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", "now"])


def resolve(schema: Any, schemas: Schemas) -> Any:
    """Return what a schema refers to."""
    for inner in (schema, *schema.get("allOf", ())):
        if "$ref" in inner:
            return resolve(schemas[inner["$ref"].rpartition("/")[2]], schemas)
    return schema


def value(draw: Draw, schema: Any, schemas: Schemas, depth: int = 2) -> Any:
    """Draw a value that the schema allows, seldom one that it does not."""
    schema = resolve(schema, schemas)
    if draw(st.integers(0, 9)) == 0:
        return draw(ANYTHING)
    if schema.get("format") == "date-time":
        return draw(_TIMES)
    if schema.get("format") == "int-or-string":
        return draw(NUMBERS | WORDS)
    kind = schema.get("type", "object")
    if kind == "array":
        return [value(draw, schema["items"], schemas, depth - 1) for _ in range(draw(st.integers(0, 2)))]
    if kind != "object":
        return draw(_BY_TYPE[kind])
    if depth <= 0:
        return {}
    if "additionalProperties" in schema:
        keys = draw(st.lists(st.sampled_from(["app", "cpu", "memory", "k"]) | WORDS, max_size=2))
        return {key: value(draw, schema["additionalProperties"], schemas, depth - 1) for key in keys}
    fields = schema.get("properties")
    if not fields:
        return draw(ANYTHING)
    names = {*schema.get("required", ()), *draw(st.lists(st.sampled_from(sorted(fields)), max_size=3))}
    return {name: value(draw, fields[name], schemas, depth - 1) for name in sorted(names)}


def path(draw: Draw, schema: Any, schemas: Schemas, longest: int = 7) -> tuple[list[str | int], Any]:
    """Draw a way into an object: names of fields, indices of lists, and the schema at its end."""
    way: list[str | int] = []
    schema = resolve(schema, schemas)
    for _ in range(draw(st.integers(1, longest))):
        if fields := schema.get("properties"):
            way.append(draw(st.sampled_from(sorted(fields))))
            schema = resolve(fields[way[-1]], schemas)
        elif "additionalProperties" in schema:
            way.append(draw(st.sampled_from(["app", "cpu", "k"]) | WORDS))
            schema = resolve(schema["additionalProperties"], schemas)
        elif schema.get("type") == "array":
            way.append(draw(st.integers(0, 1)))
            schema = resolve(schema["items"], schemas)
        else:
            break
    return way, schema


def put(target: Any, way: list[str | int], item: Any) -> Any:
    """Return a copy of a document with an item in that place, and all that leads there."""
    if not way:
        return item
    head, rest = way[0], way[1:]
    if isinstance(head, int):
        items = list(target) if isinstance(target, list) else []
        items += [{}] * (head + 1 - len(items))
        items[head] = put(items[head], rest, item)
        return items
    return {
        **(target if isinstance(target, dict) else {}),
        head: put((target or {}).get(head) if isinstance(target, dict) else None, rest, item),
    }


def made(draw: Draw, kind: str, api_version: str, name: str, schema: Any, schemas: Schemas) -> Any:
    """Draw an object: a good one, up to three of whose fields are something else."""
    obj: Any = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "labels": {"app": "f"}}}
    obj.update(copy.deepcopy(GOOD.get(kind, {})))
    for _ in range(draw(st.integers(0, 3))):
        way, leaf = path(draw, schema, schemas)
        obj = put(obj, way, value(draw, leaf, schemas))
    return obj
