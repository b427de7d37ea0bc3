"""How an answer in JSON looks in the end: as it is, indented for people, or as YAML."""

from __future__ import annotations

import json
import re

from aiohttp import web

from kubetour.embedded.negotiation import JSON, YAML, is_yaml

# Whoever asks with one of these wants to read (k8s.io/apiserver/pkg/endpoints/handlers/negotiation).
_READERS = ("curl", "Wget", "Mozilla/5.0")
_TRUE = ("1", "t", "true")
_ALWAYS = ("/", "/version")


def shaped(request: web.BaseRequest, response: web.StreamResponse) -> web.StreamResponse:
    """Return an answer as YAML where that is asked for, and indented for `?pretty=true` and for readers."""
    if not isinstance(response, web.Response) or response.content_type != JSON:
        return response
    text = ""
    if is_yaml(request.headers.get("Accept", "")):
        import yaml

        document = json.loads(response.text or "null")
        text = yaml.safe_dump(document, allow_unicode=True)
        if re.search("[\x85\u2028\u2029]", text):  # left bare, they would be read as a line's end
            text = yaml.safe_dump(document)
        response.content_type = YAML
    elif _is_for_people(request):
        text = json.dumps(json.loads(response.text or "null"), indent=2, ensure_ascii=False)
    if text:
        response.body = text.encode(errors="replace")
    return response


def _is_for_people(request: web.BaseRequest) -> bool:
    asked = request.query.get("pretty", "")
    if request.path in _ALWAYS or not asked:
        return request.path in _ALWAYS or request.headers.get("User-Agent", "").startswith(_READERS)
    return asked.lower() in _TRUE
