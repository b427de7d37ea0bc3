"""Questions about who one is, and what one may do: whoever is let in may do everything."""

from __future__ import annotations

from aiohttp import web

from kubetour.embedded import apierrors
from kubetour.embedded.api import Object
from kubetour.embedded.handlers.context import Call
from kubetour.embedded.serviceaccount_tokens import ISSUER

_EVERYTHING = {
    "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    "incomplete": False,
}
_ANSWERS: dict[str, Object] = {
    "selfsubjectaccessreviews": {
        "allowed": True,
        "reason": "in an embedded cluster whoever is let in may do everything",
    },
    "selfsubjectrulesreviews": _EVERYTHING,
}


async def review(call: Call) -> web.StreamResponse:
    """Answer POST of a review: the review, with its status."""
    asked = call.decode(await call.body())
    if call.resource.plural == "tokenreviews":
        answer = _token(call, (asked.get("spec") or {}).get("token", ""))
    else:
        answer = _ANSWERS.get(call.resource.plural) or {"userInfo": call.user}
    return call.object({**asked, "status": answer}, 201)


def _token(call: Call, token: str) -> Object:
    """Return whose token it is, as authentication/v1 TokenReviewStatus; 400 where none is asked about."""
    if not token:
        raise apierrors.bad_request("token is required for TokenReview in authentication")
    user = call.tokens.known(token)
    if user is None:
        return {"user": {}, "error": "invalid bearer token"}
    return {"authenticated": True, "user": user, "audiences": [ISSUER]}
