"""The few forms of Go templates that people give to `--format`: fields and `json`."""

from __future__ import annotations

import json
import re
from typing import Any

from kubetour.embedded.errors import EmbeddedError

_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
_FIELD = re.compile(r"(?:(json)\s+)?(\.|(?:\.\w+)+)")


def render(template: str, value: Any) -> str:
    """Return a template with its values filled in; `json` alone stands for the whole value as JSON.

    Raises EmbeddedError for a form it does not know or a field that is not there.
    """
    if template == "json":
        template = "{{json .}}"

    def replace(match: re.Match[str]) -> str:
        form = _FIELD.fullmatch(match[1])
        if not form:
            raise EmbeddedError(
                f"--format: cannot read {match[0]!r}; use {{{{.Field}}}} or {{{{json .Field}}}}"
            )
        found = value
        for name in form[2].split(".")[1:]:
            if name:
                if not isinstance(found, dict) or name not in found:
                    raise EmbeddedError(f"--format: there is no field {form[2]!r}")
                found = found[name]
        if form[1] or isinstance(found, (dict, list)):
            return json.dumps(found, separators=(",", ":"), ensure_ascii=False)
        return str(found).lower() if isinstance(found, bool) else str(found)

    text = template.replace("\\n", "\n").replace("\\t", "\t")
    return _ACTION.sub(replace, text)
