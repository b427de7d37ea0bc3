"""Rules of label selectors in objects."""

from __future__ import annotations

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import FieldError, forbidden, invalid, required
from kubetour.embedded.validation.metadata import label_value, qualified_name

_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def validate_selector(selector: Object | None, field: str) -> list[FieldError]:
    """Return what is wrong with a label selector."""
    errors: list[FieldError] = []
    for index, term in enumerate((selector or {}).get("matchExpressions") or []):
        where, operator, values = (
            f"{field}.matchExpressions[{index}]",
            term.get("operator"),
            term.get("values"),
        )
        if operator not in _OPERATORS:
            errors.append(invalid(f"{where}.operator", operator or "", "not a valid selector operator"))
        elif operator in ("In", "NotIn") and not values:
            text = "must be specified when `operator` is 'In' or 'NotIn'"
            errors.append(required(f"{where}.values", text))
        elif operator in ("Exists", "DoesNotExist") and values:
            text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            errors.append(forbidden(f"{where}.values", text))
        errors += [
            invalid(f"{where}.key", term.get("key"), text) for text in qualified_name(term.get("key", ""))
        ]
    for key, value in ((selector or {}).get("matchLabels") or {}).items():
        where = f"{field}.matchLabels"
        errors += [invalid(where, key, problem) for problem in qualified_name(key)]
        errors += [invalid(where, value, problem) for problem in label_value(value)]
    return errors
