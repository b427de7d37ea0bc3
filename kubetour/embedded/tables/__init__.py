"""Tables: the columns of `kubectl get` are the server's (kubernetes/pkg/printers/internalversion)."""

from __future__ import annotations

from datetime import datetime

from kubetour.embedded.api import Object
from kubetour.embedded.resources import Resource
from kubetour.embedded.tables import cluster, network, pods, stored, workloads
from kubetour.embedded.tables.column import AGE, NAME, Printer, age, name

_PRINTERS: dict[str, Printer] = {
    **cluster.PRINTERS,
    **network.PRINTERS,
    **pods.PRINTERS,
    **stored.PRINTERS,
    **workloads.PRINTERS,
}
# What the API server shows of a kind without columns of its own.
_PLAIN = Printer((NAME, AGE), lambda obj, now: [name(obj), age(obj, now)])


def column_definitions(resource: Resource) -> list[Object]:
    """Return the metav1.TableColumnDefinitions of a resource."""
    return [column.definition() for column in _PRINTERS.get(resource.plural, _PLAIN).columns]


def row(resource: Resource, obj: Object, now: datetime, include: str) -> Object:
    """Return one object as a row; `include` is the request's includeObject: Metadata, Object or None."""
    printer = _PRINTERS.get(resource.plural, _PLAIN)
    try:
        cells = printer.cells(obj, now)
    except (LookupError, TypeError, ValueError, OverflowError):
        # Fields that are there in Go, if empty, need not be here: one odd object must not hide all others.
        cells = [name(obj), *["<unknown>"] * (len(printer.columns) - 1)]
    if include == "None":
        return {"cells": cells}
    return {"cells": cells, "object": obj if include == "Object" else partial_metadata(obj)}


def partial_metadata(obj: Object) -> Object:
    """Return a PartialObjectMetadata: an object's metadata alone."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": obj["metadata"],
    }


def table(
    resource: Resource,
    rows: list[Object],
    metadata: Object,
    *,
    headers: bool = True,
) -> Object:
    """Return a metav1.Table; a watch sends the headers once."""
    columns = {"columnDefinitions": column_definitions(resource) if headers else []}
    head = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
    return {**head, **columns, "rows": rows}
