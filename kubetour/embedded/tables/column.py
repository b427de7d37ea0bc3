"""What all tables share: a column, a printer, and the cells that many kinds have."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubetour.embedded.api import Object
from kubetour.embedded.duration import since
from kubetour.embedded.schema import documentation

Cells = Callable[[Object, datetime], list[Any]]
NONE = "<none>"
_FIELD = re.compile(r"(\w+)\.(\w+)")


@dataclass(frozen=True)
class Column:
    """One column; priority 1 shows with `-o wide` only.

    `source` is the description, or "Struct.field" where the API's own words are it.
    """

    name: str
    source: str
    type: str = "string"
    format: str = ""
    priority: int = 0

    def definition(self) -> Object:
        """Return the metav1.TableColumnDefinition."""
        field = _FIELD.fullmatch(self.source)
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": _words(field[1], field[2]) if field else self.source,
            "priority": self.priority,
        }


def _words(struct: str, field: str) -> str:
    """Return what the API says of a field, with the paragraph that the client's words have lost."""
    return documentation(struct, field).replace("  Populated by", "\n\nPopulated by")


@dataclass(frozen=True)
class Printer:
    """The columns of a kind and the function that fills them."""

    columns: tuple[Column, ...]
    cells: Cells


NAME = Column("Name", "V1ObjectMeta.name", format="name")
AGE = Column("Age", "V1ObjectMeta.creationTimestamp")
CONTAINERS = Column("Containers", "Names of each container in the template.", priority=1)
IMAGES = Column("Images", "Images referenced by each container in the template.", priority=1)


def name(obj: Object) -> str:
    """Return the Name cell."""
    return str(obj["metadata"].get("name", ""))


def age(obj: Object, now: datetime) -> str:
    """Return the Age cell."""
    return since(obj["metadata"].get("creationTimestamp"), now)


def spec_status(obj: Object) -> tuple[Object, Object]:
    """Return both halves of an object, empty where absent."""
    return obj.get("spec") or {}, obj.get("status") or {}


def containers_and_images(spec: Object) -> tuple[str, str]:
    """Return the Containers and Images cells of a workload's spec."""
    containers = ((spec.get("template") or {}).get("spec") or {}).get("containers") or []
    return ",".join(c["name"] for c in containers), ",".join(c.get("image", "") for c in containers)
