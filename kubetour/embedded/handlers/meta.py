"""What is not a resource: discovery, OpenAPI, the version and the health endpoints."""

from __future__ import annotations

import platform
from collections.abc import Callable

from aiohttp import web

from kubetour.embedded import apierrors, discovery, openapi, openapi_v2
from kubetour.embedded.api import Object
from kubetour.embedded.handlers.context import json_text
from kubetour.embedded.machine import architecture, operating_system
from kubetour.embedded.negotiation import clauses
from kubetour.embedded.registry import to_json

# As a real cluster's defaults let anyone read them.
_HEALTH = ("/livez", "/readyz", "/healthz")
ANONYMOUS = frozenset((*_HEALTH, "/version"))
# kubectl asks for them where it does not know a kind: there are none.
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_FOREVER = "public, immutable"


def version() -> Object:
    """Return GET /version: which Kubernetes this behaves as, and that it is the embedded one."""
    return {
        "major": "1",
        "minor": "36",
        "emulationMajor": "1",
        "emulationMinor": "36",
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "35",
        "gitVersion": "v1.36.2+embedded",
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "none: kubetour's embedded cluster",
        "compiler": f"python{platform.python_version()}",
        "platform": f"{operating_system()}/{architecture()}",
    }


class MetaHandler:
    """Answers these paths; `address` is the server's own "host:port", once it listens."""

    def __init__(self) -> None:
        self.address = ""

    def answer(self, request: web.BaseRequest) -> web.Response:
        """Return the answer; anything unknown is the plain 404 of a real API server."""
        path = request.path.rstrip("/") or "/"
        answer = self._find(path, request)
        if answer is None:
            root, *below = path.strip("/").split("/")
            if root == "api" or (root == "apis" and discovery.api_group(below[0])):
                raise apierrors.unknown_resource()  # below a group Kubernetes answers in its own form
            return web.Response(text="404 page not found\n", status=404)
        if request.method not in ("GET", "HEAD"):
            raise apierrors.method_not_allowed()
        return answer

    def _find(self, path: str, request: web.BaseRequest) -> web.Response | None:
        exact: dict[str, Callable[[], web.Response]] = {
            "/version": lambda: json_text(to_json(version())),
            "/api": lambda: self._groups(request, core=True),
            "/apis": lambda: self._groups(request, core=False),
            DEFINITIONS: lambda: json_text(to_json(_no_definitions())),
            "/openapi/v2": lambda: _openapi_v2(request),
            "/openapi/v3": lambda: json_text(to_json(openapi.index())),
            "/": lambda: json_text(to_json({"paths": ["/api", "/apis", *_HEALTH, "/openapi", "/version"]})),
        }
        if path in exact:
            return exact[path]()
        parts = path.strip("/").split("/")
        if f"/{parts[0]}" in _HEALTH and len(parts) <= 2:
            return _health(parts, verbose="verbose" in request.query)
        if parts[:2] == ["openapi", "v3"]:
            return _openapi_v3(parts[2:], request)
        return _legacy(parts)

    def _groups(self, request: web.BaseRequest, *, core: bool) -> web.Response:
        number = discovery.aggregated_version(request.headers.get("Accept", ""))
        if number:
            response = json_text(to_json(discovery.aggregated(core, number)))
            response.headers["Content-Type"] = discovery.aggregated_content_type(number)
            response.headers["Vary"] = "Accept"
            return response
        return json_text(
            to_json(discovery.api_versions(self.address) if core else discovery.api_group_list())
        )


def _no_definitions() -> Object:
    head = {"kind": "CustomResourceDefinitionList", "apiVersion": "apiextensions.k8s.io/v1"}
    return {**head, "metadata": {"resourceVersion": "1"}, "items": []}


def _health(parts: list[str], *, verbose: bool) -> web.Response | None:
    """Answer a health endpoint or one check of it: whoever answers is well."""
    name, *check = parts
    checks = ["ping", "log", "etcd", *(["informer-sync"] if name == "readyz" else [])]
    if check:
        return web.Response(text="ok") if check[0] in checks else None
    if verbose:
        return web.Response(text="".join(f"[+]{each} ok\n" for each in checks) + f"{name} check passed\n")
    return web.Response(text="ok")


def _legacy(parts: list[str]) -> web.Response | None:
    """Answer /api/v1, /apis/GROUP and /apis/GROUP/VERSION."""
    found: Object | None = None
    if parts[0] == "api" and len(parts) == 2:
        found = discovery.api_resource_list("", parts[1])
    elif parts[0] == "apis" and len(parts) == 2:
        found = discovery.api_group(parts[1])
    elif parts[0] == "apis" and len(parts) == 3:
        found = discovery.api_resource_list(parts[1], parts[2])
    return json_text(to_json(found)) if found is not None else None


def _openapi_v2(request: web.BaseRequest) -> web.Response:
    accepted = {media.name for media in clauses(request.headers.get("Accept", ""))}
    if accepted & set(openapi_v2.ASKED):
        return web.Response(body=openapi_v2.protobuf(), content_type=openapi_v2.PROTOBUF)
    return json_text(openapi_v2.json_text())


def _openapi_v3(parts: list[str], request: web.BaseRequest) -> web.Response | None:
    if len(parts) == 2 and parts[0] == "api":
        text = openapi.document("", parts[1])
    elif len(parts) == 3 and parts[0] == "apis":
        text = openapi.document(parts[1], parts[2])
    else:
        text = None
    if text is None:
        return None
    response = json_text(text)
    asked = request.query.get("hash", "")
    known = openapi.index()["paths"]["/".join(parts)]["serverRelativeURL"]
    if asked and known.endswith(f"hash={asked}"):
        response.headers["Cache-Control"] = _FOREVER
        response.headers["ETag"] = f'"{asked}"'
    return response
