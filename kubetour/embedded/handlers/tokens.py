"""POST of a TokenRequest to serviceaccounts/NAME/token: `kubectl create token`."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from kubetour.embedded import apierrors
from kubetour.embedded.api import Object
from kubetour.embedded.clock import rfc3339
from kubetour.embedded.fielderrors import FieldError, invalid
from kubetour.embedded.handlers.context import Call
from kubetour.embedded.registry import to_json
from kubetour.embedded.resources import Resource
from kubetour.embedded.serviceaccount_tokens import BOUND, ISSUER, Binding

_SHORTEST, _LONGEST, _USUAL = 600, 1 << 32, 3600  # seconds
_KIND = Resource("authentication.k8s.io", "v1", "TokenRequest", "tokenrequests", "tokenrequest")


async def create(call: Call) -> web.StreamResponse:
    """Answer with the request, its token in the status."""
    spec = (await call.options(_KIND.kind, _KIND.api_version)).get("spec") or {}
    seconds = spec.get("expirationSeconds", _USUAL)
    name, namespace = call.info.name, call.info.namespace
    account = call.registry.get("serviceaccounts", name, namespace)
    errors = _problems(seconds)
    if errors:
        raise apierrors.invalid(_KIND, "", errors)
    bound = spec.get("boundObjectRef")
    audiences = list(spec.get("audiences") or [ISSUER])
    token, expires = call.tokens.issue(account, seconds, audiences, _binding(call, bound) if bound else None)
    now = rfc3339(call.registry.clock.now())
    answer = {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": now},
        "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": bound},
        "status": {"token": token, "expirationTimestamp": rfc3339(expires)},
    }
    return call.text(to_json(answer), 201)


def _problems(seconds: int) -> list[FieldError]:
    field = "spec.expirationSeconds"
    if seconds < _SHORTEST:
        return [invalid(field, seconds, "may not specify a duration less than 10 minutes")]
    if seconds > _LONGEST:
        return [invalid(field, seconds, "may not specify a duration larger than 2^32 seconds")]
    return []


def _binding(call: Call, bound: Object) -> Binding:
    kind, version, name = (str(bound.get(key, "")) for key in ("kind", "apiVersion", "name"))
    if version != "v1" or kind not in BOUND:
        raise apierrors.bad_request(f"cannot bind token to object of type /{version}, Kind={kind}")
    found = call.registry.get(BOUND[kind], name, "" if kind == "Node" else call.info.namespace)
    account = (found.get("spec") or {}).get("serviceAccountName", "")
    if kind == "Pod" and account != call.info.name:
        raise apierrors.bad_request(
            f'cannot bind token for serviceaccount "{call.info.name}" to pod running with '
            f'serviceaccount "{account}"'
        )
    uid = found["metadata"]["uid"]
    if bound.get("uid") and bound["uid"] != uid:
        why = (
            f"the UID in the bound object reference ({bound['uid']}) does not match the UID in record "
            f"({uid}). The object might have been deleted and then recreated"
        )
        raise apierrors.conflict(replace(_KIND, group="", plural=kind), name, why)
    return Binding(kind, name, uid)
