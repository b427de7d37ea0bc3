"""Status errors, worded as Kubernetes words them (k8s.io/apimachinery/pkg/api/errors)."""

from __future__ import annotations

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.fielderrors import FieldError
from kubetour.embedded.resources import Resource


def _details(resource: Resource, name: str) -> Object:
    details = {"name": name, "group": resource.group, "kind": resource.plural}
    return {key: value for key, value in details.items() if value}


def not_found(resource: Resource, name: str) -> StatusError:
    """There is no object of that name."""
    return StatusError(404, "NotFound", f'{resource.qualified} "{name}" not found', _details(resource, name))


def unknown_resource() -> StatusError:
    """The URL names no resource that is served."""
    return StatusError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(resource: Resource, name: str) -> StatusError:
    """An object of that name is there already."""
    message = f'{resource.qualified} "{name}" already exists'
    return StatusError(409, "AlreadyExists", message, _details(resource, name))


def conflict(resource: Resource, name: str, why: str = "") -> StatusError:
    """The object is not (any more) what the writer thinks it is."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return StatusError(409, "Conflict", message, _details(resource, name))


def forbidden(resource: Resource, name: str, why: str, details: Object | None = None) -> StatusError:
    """Policy does not allow it."""
    message = f'{resource.qualified} "{name}" is forbidden: {why}'
    return StatusError(403, "Forbidden", message, {**_details(resource, name), **(details or {})})


def invalid(resource: Resource, name: str, errors: list[FieldError]) -> StatusError:
    """The object breaks rules of its kind; each error becomes a cause."""
    texts = list(dict.fromkeys(str(error) for error in errors))
    joined = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details = {"name": name, "group": resource.group, "kind": resource.kind}
    return StatusError(
        422,
        "Invalid",
        f'{resource.qualified_kind} "{name}" is invalid: {joined}',
        {
            **{key: value for key, value in details.items() if value},
            "causes": [error.cause() for error in errors],
        },
    )


def invalid_options(kind: str, errors: list[FieldError]) -> StatusError:
    """A request's options ("ListOptions") contradict each other, or say what there is not."""
    return invalid(Resource("meta.k8s.io", "v1", kind, "", ""), "", errors)


def bad_request(message: str) -> StatusError:
    """The request makes no sense."""
    return StatusError(400, "BadRequest", message)


def expired(message: str) -> StatusError:
    """The history asked for is compacted."""
    return StatusError(410, "Expired", message)


def too_old(asked: int, oldest: int) -> StatusError:
    """A watch would have to begin before the compaction."""
    return expired(f"too old resource version: {asked} ({oldest})")


def too_large(asked: int, present: int) -> StatusError:
    """A read at a resourceVersion that does not exist yet."""
    return StatusError(
        504,
        "Timeout",
        f"Too large resource version: {asked}, current: {present}",
        {
            "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
            "retryAfterSeconds": 1,
        },
    )


def method_not_allowed() -> StatusError:
    """The resource exists but does not support this verb."""
    message = "the server does not allow this method on the requested resource"
    return StatusError(405, "MethodNotAllowed", message, {})


def unsupported_media_type(accepted: tuple[str, ...]) -> StatusError:
    """The body's Content-Type is none of those accepted."""
    message = "the body of the request was in an unknown format - accepted media types include: "
    return StatusError(415, "UnsupportedMediaType", message + ", ".join(accepted))


def not_acceptable(accepted: tuple[str, ...]) -> StatusError:
    """Accept names no form the server can answer in."""
    return StatusError(
        406, "NotAcceptable", "only the following media types are accepted: " + ", ".join(accepted)
    )


def internal_error(message: str) -> StatusError:
    """Something failed that the client cannot mend."""
    return StatusError(
        500, "InternalError", f"Internal error occurred: {message}", {"causes": [{"message": message}]}
    )
