"""Why a request to the API server came to nothing."""

from __future__ import annotations

from kubetour.errors import ClusterError


def is_forbidden(error: Exception | None) -> bool:
    """Return whether the server has refused it because this user may not do it."""
    return isinstance(error, ClusterError) and error.values.get("status") == 403


def brief(reason: Exception | str | None) -> str:
    """Return an error in one line; urllib3's name the whole stack of their causes."""
    text = str(getattr(reason, "reason", None) or reason)
    return " ".join(text.split())[:300]
