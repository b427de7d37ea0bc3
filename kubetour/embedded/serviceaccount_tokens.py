"""Tokens of service accounts: JSON Web Tokens with Kubernetes' claims, issued for a while and checked.

k8s.io/kubernetes/pkg/serviceaccount/{claims,jwt}.go. Kubernetes signs with a private key (RS256); here issuer
and verifier are one process, which signs with a secret (HS256).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.registry import Registry

ADMIN: Object = {"username": "kubernetes-admin", "groups": ["kubeadm:cluster-admins", "system:authenticated"]}
ISSUER = "https://kubernetes.default.svc.cluster.local"
_HEADER = {"alg": "HS256", "typ": "JWT"}
BOUND = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}  # what a token can be bound to
_PRIVATE = "kubernetes.io"  # the claim with Kubernetes' own


@dataclass(frozen=True)
class Binding:
    """The object, of one of the kinds of BOUND, with which a token ends."""

    kind: str
    name: str
    uid: str


class Tokens:
    """Issues and checks the tokens of one cluster, whose own secret their signatures are made with."""

    def __init__(self, registry: Registry, secret: str) -> None:
        self._registry = registry
        self._secret = secret.encode()
        self._key = hmac.digest(secret.encode(), b"service account tokens", hashlib.sha256)

    def issue(
        self, account: Object, seconds: int, audiences: list[str], bound: Binding | None = None
    ) -> tuple[str, datetime]:
        """Return a token for a ServiceAccount, and when it expires."""
        now = self._registry.clock.now().replace(microsecond=0)
        expires = now + timedelta(seconds=seconds)
        metadata = account["metadata"]
        private: Object = {
            "namespace": metadata["namespace"],
            "serviceaccount": {"name": metadata["name"], "uid": metadata["uid"]},
        }
        if bound:
            private[bound.kind.lower()] = {"name": bound.name, "uid": bound.uid}
        moment = int(now.timestamp())
        claims = {
            "aud": audiences or [ISSUER],
            "exp": int(expires.timestamp()),
            "iat": moment,
            "iss": ISSUER,
            "jti": str(uuid.uuid4()),
            _PRIVATE: private,
            "nbf": moment,
            "sub": f"system:serviceaccount:{metadata['namespace']}:{metadata['name']}",
        }
        signed = f"{_encoded(_HEADER)}.{_encoded(claims)}"
        return f"{signed}.{self._signature(signed)}", expires

    def known(self, token: str) -> Object | None:
        """Return whose token it is, that of the kubeconfig included; None for nobody's."""
        given = token.encode("utf-8", "surrogateescape")  # the bytes that came, whatever they are
        if hmac.compare_digest(given, self._secret):
            return ADMIN
        return self.user(given.decode("utf-8", "replace"))

    def user(self, token: str) -> Object | None:
        """Return the user whose token it is, as authentication/v1 UserInfo; None for one that is not valid.

        It ends with its time, with its ServiceAccount, and with what it is bound to.
        """
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return None
        claims = _decoded(signed.partition(".")[2])
        private = claims[_PRIVATE]
        namespace, account = private["namespace"], private["serviceaccount"]
        if self._registry.clock.now().timestamp() >= claims["exp"] or ISSUER not in claims["aud"]:
            return None
        if not self._lives("serviceaccounts", namespace, account):
            return None
        extra = {"authentication.kubernetes.io/credential-id": [f"JTI={claims['jti']}"]}
        for kind, resource in BOUND.items():
            bound = private.get(kind.lower())
            if bound and not self._lives(resource, "" if kind == "Node" else namespace, bound):
                return None
            if bound and kind != "Secret":
                extra[f"authentication.kubernetes.io/{kind.lower()}-name"] = [bound["name"]]
                extra[f"authentication.kubernetes.io/{kind.lower()}-uid"] = [bound["uid"]]
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
        return {"username": claims["sub"], "uid": account["uid"], "groups": groups, "extra": extra}

    def _lives(self, resource: str, namespace: str, named: Object) -> bool:
        try:
            found = self._registry.get(resource, named["name"], namespace)
        except StatusError:
            return False
        return bool(found["metadata"]["uid"] == named["uid"])

    def _signature(self, signed: str) -> str:
        return _base64(hmac.digest(self._key, signed.encode(), hashlib.sha256))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _encoded(value: Any) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _decoded(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
