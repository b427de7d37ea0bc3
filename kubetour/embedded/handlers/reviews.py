"""Questions about oneself, by which `kubectl auth` asks: whoever is let in may do everything."""

from __future__ import annotations

from aiohttp import web

from kubetour.embedded.api import Object
from kubetour.embedded.handlers.context import Call

ADMIN: Object = {"username": "kubernetes-admin", "groups": ["kubeadm:cluster-admins", "system:authenticated"]}
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
    answer = _ANSWERS.get(call.resource.plural) or {"userInfo": call.user}
    return call.object({**asked, "status": answer}, 201)
