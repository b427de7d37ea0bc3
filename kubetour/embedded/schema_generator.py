"""Makes `schema.json` and `schema_docs.json` from the models of the installed `kubernetes` client."""

from __future__ import annotations

import json
import re
import typing
from pathlib import Path
from typing import Any

from kubetour.embedded.resources import RESOURCES

# The models that stand for each kind, where the name is not "V1" + kind.
_MODELS = {
    "v1/Event": "CoreV1Event",
    "events.k8s.io/v1/Event": "EventsV1Event",
    "autoscaling/v2/HorizontalPodAutoscaler": "V2HorizontalPodAutoscaler",
    "authentication.k8s.io/v1/TokenRequest": "AuthenticationV1TokenRequest",
}
_EXTRA = (
    "autoscaling/v1/Scale",
    "authentication.k8s.io/v1/TokenRequest",
    "policy/v1/Eviction",
    "v1/DeleteOptions",
)
# What the API's Go types say and the client's models do not: 64-bit integers, and microsecond times.
_INT64 = frozenset(
    [
        "generation",
        "observedGeneration",
        "deletionGracePeriodSeconds",
        "gracePeriodSeconds",
        "activeDeadlineSeconds",
        "terminationGracePeriodSeconds",
        "tolerationSeconds",
        "runAsUser",
        "runAsGroup",
        "fsGroup",
        "supplementalGroups",
        "uid",
        "revision",
        "collisionCount64",
        "expirationSeconds",
        "startingDeadlineSeconds",
        "sizeBytes",
        "remainingItemCount",
        "ttlSeconds",
        "hashValue",
    ]
)
_MICRO_TIMES = frozenset(
    {
        ("V1LeaseSpec", "acquireTime"),
        ("V1LeaseSpec", "renewTime"),
        ("CoreV1Event", "eventTime"),
        ("EventsV1Event", "eventTime"),
        ("CoreV1EventSeries", "lastObservedTime"),
        ("EventsV1EventSeries", "lastObservedTime"),
    }
)
_QUANTITY_MAPS = frozenset(
    [
        "limits",
        "requests",
        "capacity",
        "allocatable",
        "allocatedResources",
        "hard",
        "used",
        "overhead",
        "default",
        "defaultRequest",
        "max",
        "min",
    ]
)
_QUANTITIES = frozenset(
    {
        ("V1EmptyDirVolumeSource", "sizeLimit"),
        ("V1ResourceFieldSelector", "divisor"),
        ("V2MetricTarget", "value"),
        ("V2MetricTarget", "averageValue"),
        ("V2MetricValueStatus", "value"),
        ("V2MetricValueStatus", "averageValue"),
    }
)
_PLAIN = {
    "str": "string",
    "int": "int32",
    "float": "float",
    "bool": "bool",
    "bytes": "bytes",
    "datetime": "time",
}
_DIRECTORY = Path(__file__).parent


def generate() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the content of both files."""
    import kubernetes
    from kubernetes.client import models

    kinds = {f"{r.api_version}/{r.kind}": "" for r in RESOURCES}
    kinds.update(dict.fromkeys(_EXTRA, ""))
    structs: dict[str, dict[str, str]] = {}
    required: dict[str, list[str]] = {}
    docs: dict[str, dict[str, str]] = {}
    kinds = {key: _MODELS.get(key, f"V1{key.rsplit('/', 1)[1]}") for key in kinds}
    todo = list(kinds.values())
    while todo:
        name = todo.pop()
        if name in structs:
            continue
        model = getattr(models, name)
        fields: dict[str, str] = {}
        texts = {"": _sentence(model.__doc__ or "")}
        needed = []
        infos = {info.serialization_alias or at: info for at, info in model.model_fields.items()}
        for attribute, openapi_type in model.openapi_types.items():
            field = model.attribute_map[attribute]
            info = infos[field]
            fields[field] = _type(name, field, openapi_type, info)
            texts[field] = info.description or ""
            if info.is_required():
                needed.append(field)
            inner = fields[field].removeprefix("[]").removeprefix("map[string]").removeprefix("[]")
            if inner[0].isupper():
                todo.append(inner)
        structs[name], docs[name] = fields, texts
        if needed:
            required[name] = sorted(needed)
    schema = {"client": kubernetes.__version__, "kinds": kinds, "required": required, "structs": structs}
    return schema, docs


def _sentence(doc: str) -> str:
    """Return a model's own description: what precedes the generator's boilerplate."""
    return " ".join(doc.split("Attributes:", maxsplit=1)[0].split())


def _type(struct: str, field: str, openapi_type: str, info: Any) -> str:
    if match := re.fullmatch(r"List\[(.+)\]", openapi_type):
        return "[]" + _type(struct, field, match[1], None)
    if match := re.fullmatch(r"Dict\[str, (.+)\]", openapi_type):
        inner = match[1]
        quantity = inner == "str" and field in _QUANTITY_MAPS
        return "map[string]" + ("quantity" if quantity else _type(struct, field, inner, None))
    if openapi_type == "int":
        return "int64" if field in _INT64 else "int32"
    if openapi_type == "datetime":
        return "micro-time" if (struct, field) in _MICRO_TIMES else "time"
    if openapi_type == "str" and (struct, field) in _QUANTITIES:
        return "quantity"
    if openapi_type == "object":
        return "int-or-string" if info is not None and int in _leaves(info.annotation) else "any"
    return _PLAIN.get(openapi_type, openapi_type)


def _leaves(annotation: Any) -> set[type]:
    """Return the plain types inside a union, through pydantic's Annotated wrappers."""
    arguments = typing.get_args(annotation)
    if not arguments:
        return {annotation} if isinstance(annotation, type) else set()
    return set().union(*(_leaves(argument) for argument in arguments))


def main() -> None:
    """Write both files next to this module."""
    schema, docs = generate()
    for name, data in (("schema.json", schema), ("schema_docs.json", docs)):
        text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        # One struct per line, so that a change of the client shows as a readable diff.
        (_DIRECTORY / name).write_text(text.replace('},"', '},\n"') + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
