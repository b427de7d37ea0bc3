"""Questions about oneself, by which `kubectl auth` asks: there is one user, who may do everything."""

from __future__ import annotations

from aiohttp import web

from kubetour.embedded.api import Object
from kubetour.embedded.handlers.context import Call

USER = {"username": "kubernetes-admin", "groups": ["kubeadm:cluster-admins", "system:authenticated"]}
_EVERYTHING = {
    "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    "incomplete": False,
}
_ANSWERS: dict[str, Object] = {
    "selfsubjectaccessreviews": {
        "allowed": True,
        "reason": "an embedded cluster has one user, who may do everything",
    },
    "selfsubjectreviews": {"userInfo": USER},
    "selfsubjectrulesreviews": _EVERYTHING,
}


async def review(call: Call) -> web.StreamResponse:
    """Answer POST of a review: the review, with its status."""
    asked = call.decode(await call.body())
    return call.object({**asked, "status": _ANSWERS[call.resource.plural]}, 201)
