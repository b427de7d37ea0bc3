"""What every handler works with: one request, its options, and the answers it can give."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from kubetour.embedded import apierrors, views
from kubetour.embedded.advice import advice, generation_of
from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.decoder import DecodeError, decoder
from kubetour.embedded.decoding import cannot_be_handled, decode, reject_unknown
from kubetour.embedded.fielderrors import FieldError, invalid, too_long, unsupported
from kubetour.embedded.listing import Query, within
from kubetour.embedded.managedfields import UPDATE, Manager
from kubetour.embedded.negotiation import JSON, form, parse_body
from kubetour.embedded.podsecurity_admission import PREFIX, WARNED, would_violate
from kubetour.embedded.registry import Registry, to_json
from kubetour.embedded.requestinfo import RequestInfo, flag
from kubetour.embedded.resources import Resource, by_plural
from kubetour.embedded.schema import struct_of
from kubetour.embedded.serviceaccount_tokens import Tokens
from kubetour.embedded.tables import partial_metadata, row, table
from kubetour.embedded.watcher import Watcher

_FIELD_VALIDATION = ("", "Ignore", "Strict", "Warn")
# The options in which a request's parameters are checked (metav1).
_OPTIONS = {
    "DELETE": "DeleteOptions",
    "PATCH": "PatchOptions",
    "POST": "CreateOptions",
    "PUT": "UpdateOptions",
}
_LONGEST_MANAGER = 128
_HEADERS = {"Content-Type": JSON, "Cache-Control": "no-cache, private"}


@dataclass
class Call:
    """One request for a resource.

    `user` is who asks, as authentication/v1 UserInfo. `watches` are the open watches of all; `warnings` go
    into the answer's headers.
    """

    request: web.BaseRequest
    info: RequestInfo
    registry: Registry
    tokens: Tokens
    user: Object
    watches: set[Watcher] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)

    @property
    def resource(self) -> Resource:
        """Return the resource as the URL names it."""
        return self.info.resource

    @property
    def stored(self) -> Resource:
        """Return the resource that is stored; it differs for events.k8s.io only."""
        return by_plural(self.info.resource.plural)

    @property
    def query(self) -> Mapping[str, str]:
        """Return the URL's parameters."""
        return self.request.query

    def flag(self, name: str) -> bool:
        """Return a boolean parameter."""
        return flag(self.query, name)

    def number(self, name: str) -> int | None:
        """Return a whole number parameter, None where it is absent; 400 for anything else."""
        text = self.query.get(name, "")
        if not text:
            return None
        try:
            return within(int(text))
        except ValueError:
            raise apierrors.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None

    @property
    def dry_run(self) -> bool:
        """Return whether nothing is to be stored."""
        return self.is_dry(self.request.query.getall("dryRun", []))

    def is_dry(self, values: Sequence[str]) -> bool:
        """Return what a list of dryRun directives means; 422 for one that there is not."""
        if any(value not in ("All", "") for value in values):
            raise self.bad_options(unsupported("dryRun", list(values), ("All",)))
        return "All" in values

    def bad_options(self, error: FieldError) -> StatusError:
        """Return the 422 for a parameter that its method's options do not allow."""
        return apierrors.invalid_options(_OPTIONS.get(self.request.method, "ListOptions"), [error])

    def writer(self, operation: str = UPDATE) -> Manager:
        """Return whom managedFields name for this write: the fieldManager, or else the program that calls."""
        program = self.request.headers.get("User-Agent", "").partition("/")[0]
        own = "".join(filter(str.isprintable, program[:_LONGEST_MANAGER]))
        name = self.query.get("fieldManager") or own or "unknown"
        if len(name.encode(errors="replace")) > _LONGEST_MANAGER:
            raise self.bad_options(too_long("fieldManager", _LONGEST_MANAGER))
        for place, char in enumerate(name):
            if not char.isprintable():
                text = f"invalid character U+{ord(char):04X} (at position {place})"
                raise self.bad_options(invalid("fieldManager", name, text))
        version = self.stored.api_version if operation == UPDATE else ""
        return Manager(name, operation, version, self.info.subresource)

    def list_query(self) -> Query:
        """Return what a list or watch asks for."""
        self.number("timeoutSeconds")
        return Query(
            labels=self.query.get("labelSelector", ""),
            fields=self.query.get("fieldSelector", ""),
            limit=self.number("limit") or 0,
            continue_token=self.query.get("continue", ""),
            resource_version=self.query.get("resourceVersion", ""),
            match=self.query.get("resourceVersionMatch", ""),
        )

    async def body(self, kind: str = "") -> Any:
        """Return the request's body, parsed."""
        content_type = self.request.headers.get("Content-Type", "")
        return parse_body(await self.request.read(), content_type, kind or self.resource.kind)

    async def options(self, kind: str, api_version: str = "v1") -> Object:
        """Return a body that is acted on and not stored, its types checked; 400 where one is wrong.

        `kind` is Binding, DeleteOptions, Eviction or TokenRequest. A body that is no object says nothing.
        """
        body = await self.body(kind)
        try:
            decode_body = decoder(struct_of(api_version, kind))
            decoded: Object = decode_body(body, []) if isinstance(body, dict) else {}
        except DecodeError as error:
            raise apierrors.bad_request(cannot_be_handled(kind, api_version, str(error))) from None
        return decoded

    def check_unknown(self, resource: Resource, unknown: list[str]) -> None:
        """Reject, report or ignore unknown fields, as `fieldValidation` says; Warn is the default."""
        mode = self.query.get("fieldValidation", "")
        if mode not in _FIELD_VALIDATION:
            raise self.bad_options(unsupported("fieldValidation", mode, _FIELD_VALIDATION))
        if mode == "Strict":
            reject_unknown(resource, unknown)
        elif mode in ("", "Warn"):
            self.warnings += [f'unknown field "{name}"' for name in unknown]

    def advise(self, new: Object, generation: int | None = None) -> None:
        """Warn of what is odd about an object created, or updated from that generation."""
        self.warnings += advice(self.stored, new, generation)
        same = generation is not None and generation == generation_of(new)
        looked_at = self.stored.plural in WARNED and not self.info.subresource
        # A Pod is looked at again where it is another; what makes Pods always is.
        if looked_at and not (same and self.stored.plural == "pods"):
            self._warn_of_security(new)

    def _warn_of_security(self, new: Object) -> None:
        space = self.registry.find(by_plural("namespaces"), new["metadata"].get("namespace", ""))
        if space is None or PREFIX not in space.value:
            return
        labels = json.loads(space.value)["metadata"].get("labels") or {}
        if text := would_violate(labels, self.stored.plural, new):
            self.warnings.append(text)

    def decode(self, obj: Any) -> Object:
        """Return an object from a body in the form it is stored in, unknown fields dealt with."""
        decoded, unknown = decode(self.resource, obj)
        self.check_unknown(self.resource, unknown)
        return views.from_view(self.resource, decoded)

    # --- answers

    def text(self, body: str, status: int = 200) -> web.Response:
        """Return JSON text as it is."""
        return json_text(body, status, self.warnings)

    def object(self, obj: Object, status: int = 200) -> web.Response:
        """Return one object, stored or not, in the form the client asked for."""
        wanted = form(self.request.headers.get("Accept", ""))
        if wanted == "Table":
            now = self.registry.clock.now()
            rows = [row(self.stored, obj, now, self.query.get("includeObject", "Metadata"))]
            version = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
            return self.text(to_json(table(self.stored, rows, version)), status)
        if wanted == "PartialObjectMetadata":
            return self.text(to_json(partial_metadata(obj)), status)
        return self.text(to_json(views.to_view(self.resource, obj)), status)

    def written(self, obj: Object, status: int = 200) -> web.Response:
        """Return an object that was written: as the text that was stored, except after a dry run."""
        metadata = obj["metadata"]
        name, space = metadata.get("name", ""), metadata.get("namespace", "")
        found = self.registry.find(self.stored, name, space)
        if found is None or str(found.mod_revision) != metadata.get("resourceVersion") or self.dry_run:
            return self.object(obj, status)
        return self.stored_text(found.value, status)

    def stored_text(self, value: str, status: int = 200) -> web.Response:
        """Return one stored object from its JSON text, which is sent as it is if JSON was asked for."""
        if not views.is_view(self.resource) and not form(self.request.headers.get("Accept", "")):
            return self.text(value, status)
        return self.object(json.loads(value), status)


def json_text(body: str, status: int = 200, warnings: list[str] | None = None) -> web.Response:
    """Return a JSON answer; warnings become RFC 7234 Warning headers, which kubectl prints."""
    response = web.Response(body=body.encode(errors="replace"), status=status, headers=_HEADERS)
    # A text that could not be one header is left out, as k8s.io/apimachinery/pkg/util/net does.
    for warning in filter(str.isprintable, warnings or []):
        quoted = warning.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{quoted}"')
    return response


def status_response(error: StatusError) -> web.Response:
    """Return a failure as the Status object it is."""
    response = json_text(to_json(error.status()), error.code)
    retry = (error.details or {}).get("retryAfterSeconds")
    if retry:
        response.headers["Retry-After"] = str(retry)
    return response
