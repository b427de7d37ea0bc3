"""What several checks share: verdicts, and how to read the objects of Kubernetes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from kubetour.checks import Object, Observation, Proof
from kubetour.text import Text


def holds(key: str, data: dict[str, Any] | None = None, **values: Any) -> Proof:
    """Return the verdict that it is so."""
    return Proof(True, Text(f"proof.{key}", values), data or {})


def noted(proof: Proof, *notes: Text, for_now: bool = False) -> Proof:
    """Return a verdict with what a person should know of it, and whether it may still become more."""
    return replace(proof, notes=notes, for_now=for_now)


def fails(key: str, data: dict[str, Any] | None = None, **values: Any) -> Proof:
    """Return the verdict that it is not, or not yet, so."""
    return Proof(False, Text(f"proof.{key}", values), data or {})


def refuses(key: str, **values: Any) -> Proof:
    """Return the verdict that it never will be so: someone else made what is there."""
    return Proof(False, Text(f"proof.{key}", values), final=True)


def refutes(key: str, data: dict[str, Any] | None = None, **values: Any) -> Proof:
    """Return the verdict that it was measured and is not so, however long one waits."""
    return Proof(False, Text(f"proof.{key}", values), data or {}, refuted=True)


def verdict(truth: bool, key: str, otherwise: str, **values: Any) -> Proof:
    """Return one of two verdicts on the same values."""
    return holds(key, **values) if truth else fails(otherwise, **values)


def condition(item: Object, kind: str) -> bool:
    """Return whether an object's status has that condition with status True."""
    conditions = item.get("status", {}).get("conditions") or ()
    return any(c["type"] == kind and c["status"] == "True" for c in conditions)


def owner(item: Object) -> str:
    """Return the uid of the object's controller, or an empty text."""
    references = item["metadata"].get("ownerReferences") or ()
    return next((str(r["uid"]) for r in references if r.get("controller")), "")


def terminating(item: Object) -> bool:
    """Return whether the object is being deleted."""
    return "deletionTimestamp" in item["metadata"]


def ready_pods(seen: Observation, labels: dict[str, str]) -> tuple[Object, ...]:
    """Return the Pods with these labels that are Ready and not being deleted."""
    return tuple(p for p in seen.labelled("pods", labels) if condition(p, "Ready") and not terminating(p))


def endpoints(seen: Observation, service: str) -> tuple[tuple[str, bool], ...]:
    """Return (Pod's name, whether it is ready) for each endpoint in a Service's EndpointSlices."""
    found = []
    for item in seen.labelled("endpointslices", {"kubernetes.io/service-name": service}):
        for endpoint in item.get("endpoints") or ():
            name = (endpoint.get("targetRef") or {}).get("name", "")
            # An absent condition means ready: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
            found.append((str(name), endpoint.get("conditions", {}).get("ready") is not False))
    return tuple(found)


def first_json(text: str) -> Any:
    """Return the JSON value of a text, or None if it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def json_object(text: str) -> dict[str, Any]:
    """Return the JSON object of a text, or an empty one if it is anything else."""
    value = first_json(text)
    return value if isinstance(value, dict) else {}


def inspected(text: str) -> dict[str, Any]:
    """Return the first object in the list that `inspect` prints; an empty one if there is none."""
    value = first_json(text)
    return value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else {}


def json_rows(text: str) -> list[dict[str, Any]]:
    """Return the JSON objects of a text: one on each line, as Docker prints them, or a list, as podman does.

    Whatever else there is, is passed over.
    """
    whole = first_json(text)
    values = whole if isinstance(whole, list) else map(first_json, text.splitlines())
    return [value for value in values if isinstance(value, dict)]


def human_size(count: float) -> str:
    """Return a size in bytes as Docker prints it."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g}{unit}"
        count /= 1000
    return f"{count:.3g}GB"
