"""Field errors, as Kubernetes prints them (k8s.io/apimachinery/pkg/util/validation/field)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_PHRASES = {
    "FieldValueRequired": "Required value",
    "FieldValueInvalid": "Invalid value",
    "FieldValueNotSupported": "Unsupported value",
    "FieldValueForbidden": "Forbidden",
    "FieldValueDuplicate": "Duplicate value",
    "FieldValueTooLong": "Too long",
    "FieldValueTooMany": "Too many",
    "FieldValueNotFound": "Not found",
}
# What is said of a number below 0 (apimachinery's IsNegativeErrorMsg).
NOT_NEGATIVE = "must be greater than or equal to 0"
# The value of a field that is not to be shown (field.OmitValueType).
OMITTED = object()
_WITHOUT_VALUE = {"FieldValueRequired", "FieldValueForbidden", "FieldValueTooLong", "FieldValueTooMany"}


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field; str() is the line that kubectl shows."""

    reason: str
    field: str
    value: Any = None
    detail: str = ""

    @property
    def message(self) -> str:
        """Return the text without the field's name."""
        text = _PHRASES[self.reason]
        if self.reason not in _WITHOUT_VALUE and self.value is not OMITTED:
            text += f": {json.dumps(self.value, separators=(',', ':'), ensure_ascii=False)}"
        return f"{text}: {self.detail}" if self.detail else text

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"

    def cause(self) -> dict[str, str]:
        """Return the metav1.StatusCause of this error."""
        return {"reason": self.reason, "message": self.message, "field": self.field}


def required(field: str, detail: str = "") -> FieldError:
    """A value must be given."""
    return FieldError("FieldValueRequired", field, None, detail)


def invalid(field: str, value: Any, detail: str) -> FieldError:
    """The value breaks a rule."""
    return FieldError("FieldValueInvalid", field, value, detail)


def unsupported(field: str, value: Any, supported: Iterable[str]) -> FieldError:
    """The value is none of an enumeration."""
    listed = ", ".join(json.dumps(item) for item in sorted(supported))
    return FieldError("FieldValueNotSupported", field, value, f"supported values: {listed}")


def forbidden(field: str, detail: str) -> FieldError:
    """The field may not be set, or not be changed, here."""
    return FieldError("FieldValueForbidden", field, None, detail)


def duplicate(field: str, value: Any, detail: str = "") -> FieldError:
    """The value must be unique and is not."""
    return FieldError("FieldValueDuplicate", field, value, detail)


def too_long(field: str, limit: int) -> FieldError:
    """The text is longer than `limit` bytes."""
    return FieldError("FieldValueTooLong", field, None, f"may not be more than {limit} bytes")


def not_found(field: str, value: Any) -> FieldError:
    """The value refers to something that is not there."""
    return FieldError("FieldValueNotFound", field, value)
