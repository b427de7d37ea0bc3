"""Rules of metadata, and of names and labels everywhere (k8s.io/apimachinery/pkg/api/validation)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import FieldError, forbidden, invalid, required, too_long
from kubetour.embedded.resources import Resource

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_ANNOTATIONS_BYTES = 256 * 1024


@dataclass(frozen=True)
class _Rule:
    """What a text has to look like, and what is said of one that does not."""

    text: str
    pattern: re.Pattern[str]
    limit: int
    unit: str = "characters"

    def problems(self, value: str, instead: str = "") -> list[str]:
        """Return what is wrong with a value; `instead` of the rule's own words, where that is given."""
        matches = self.pattern.fullmatch(value) is not None
        if matches and len(value) <= self.limit:  # every object made comes through here
            return []
        found = []
        if len(value.encode()) > self.limit:
            found.append(f"must be no more than {self.limit} {self.unit}")
        return found if matches else [*found, instead or self.text]


NOT_AN_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


def _rule(text: str, pattern: str, limit: int, examples: tuple[str, ...], unit: str = "characters") -> _Rule:
    # The two blanks are Kubernetes' own.
    quoted = ",  or ".join(f"'{example}'" for example in examples)
    said = f"{text} (e.g. {quoted}, regex used for validation is '{pattern}')"
    return _Rule(said, re.compile(pattern), limit, unit)


_ENDS = "and must start and end with an alphanumeric character"
_LABELS = _rule(
    f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', {_ENDS}",
    _LABEL,
    63,
    ("my-name", "123-abc"),
)
_SUBDOMAINS = _rule(
    f"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', {_ENDS}",
    _SUBDOMAIN,
    253,
    ("example.com",),
)
_DNS1035_LABELS = _rule(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character",
    r"[a-z]([-a-z0-9]*[a-z0-9])?",
    63,
    ("my-name", "abc-123"),
)
_NAMES = _rule(
    f"must consist of alphanumeric characters, '-', '_' or '.', {_ENDS}",
    r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]",
    63,
    ("MyName", "my.name", "123-abc"),
    "bytes",
)
_VALUES = _rule(
    f"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', {_ENDS}",
    r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
    63,
    ("MyValue", "my_value", "12345"),
    "bytes",
)
_KEYS = _rule(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    r"[-._a-zA-Z0-9]+",
    253,
    ("key.name", "KEY_NAME", "key-name"),
)


def dns1123_label(value: str) -> list[str]:
    """Return what keeps a value from being a DNS-1123 label."""
    problems = _LABELS.problems(value)
    if problems and _SUBDOMAINS.pattern.fullmatch(value):
        return _LABELS.problems(value, "must not contain dots")
    return problems


def dns1123_subdomain(value: str) -> list[str]:
    """Return what keeps a value from being a DNS-1123 subdomain."""
    return _SUBDOMAINS.problems(value)


def dns1035_label(value: str) -> list[str]:
    """Return what keeps a value from being a DNS-1035 label, which Services' names were before v1.34."""
    return _DNS1035_LABELS.problems(value)


def path_segment(value: str) -> list[str]:
    """Return what keeps a value from being one segment of a URL's path: RBAC's names may be anything else."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{char}'" for char in "/%" if char in value]


def qualified_name(value: str) -> list[str]:
    """Return what keeps a value from being a label's or annotation's key: [prefix/]name."""
    prefix, slash, name = value.rpartition("/")
    if "/" in prefix:
        text = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a valid label key {_NAMES.text} {text}"]
    problems = []
    if slash:
        if not prefix:
            problems.append("prefix part must be non-empty")
        else:
            problems += [f"prefix part {problem}" for problem in dns1123_subdomain(prefix)]
    if not name:
        problems.append("name part must be non-empty")
    return problems + [f"name part {problem}" for problem in _NAMES.problems(name)]


def label_value(value: str) -> list[str]:
    """Return what keeps a text from being a label's value."""
    return _VALUES.problems(value)


def config_map_key(value: str) -> list[str]:
    """Return what keeps a text from being a key of a ConfigMap or a Secret."""
    problems = _KEYS.problems(value)
    if value in (".", ".."):
        problems.append(f"must not be '{value}'")
    elif value.startswith(".."):
        problems.append("must not start with '..'")
    return problems


_NAME_RULES: dict[str, Callable[[str], list[str]]] = {
    "namespaces": dns1123_label,
    "services": dns1123_label,
    "roles": path_segment,
    "rolebindings": path_segment,
    "clusterroles": path_segment,
    "clusterrolebindings": path_segment,
}
# metav1.ObjectMeta fields that an update may not change.
_IMMUTABLE = ("name", "namespace", "uid", "creationTimestamp")


def validate_metadata(resource: Resource, metadata: Object, field: str = "metadata") -> list[FieldError]:
    """Return what is wrong with an object's metadata."""
    name, prefix = metadata.get("name", ""), metadata.get("generateName", "")
    rule = _NAME_RULES.get(resource.plural, dns1123_subdomain)
    # What a prefix ends with does not matter if it is a dash: a name will follow.
    whole = f"{prefix[:-1]}a" if prefix.endswith("-") else prefix
    errors = [invalid(f"{field}.generateName", prefix, text) for text in (rule(whole) if prefix else ())]
    if not name:
        errors.append(required(f"{field}.name", "name or generateName is required"))
    else:
        errors += [invalid(f"{field}.name", name, problem) for problem in rule(name)]
    if resource.namespaced:
        space = metadata.get("namespace", "")
        errors += [invalid(f"{field}.namespace", space, problem) for problem in dns1123_label(space)]
    errors += validate_labels(metadata.get("labels"), f"{field}.labels")
    errors += validate_annotations(metadata.get("annotations"), f"{field}.annotations")
    for index, owner in enumerate(metadata.get("ownerReferences") or []):
        where = f"{field}.ownerReferences[{index}]"
        for key, words in (("apiVersion", "version"), ("kind", "kind"), ("name", "name"), ("uid", "uid")):
            if not owner.get(key):
                errors.append(invalid(f"{where}.{key}", owner.get(key, ""), f"{words} must not be empty"))
    controllers = [o for o in metadata.get("ownerReferences") or [] if o.get("controller")]
    if len(controllers) > 1:
        names = " and ".join(f"{owner['kind']}/{owner['name']}" for owner in controllers[:2])
        text = f'Only one reference can have Controller set to true. Found "true" in references for {names}'
        errors.append(invalid(f"{field}.ownerReferences", None, text))
    for finalizer in metadata.get("finalizers") or []:
        errors += [invalid(f"{field}.finalizers", finalizer, text) for text in qualified_name(finalizer)]
    return errors


def validate_metadata_update(new: Object, old: Object, field: str = "metadata") -> list[FieldError]:
    """Return which changes of metadata an update may not make."""
    errors = [
        invalid(f"{field}.{key}", new.get(key), "field is immutable")
        for key in _IMMUTABLE
        if new.get(key) != old.get(key)
    ]
    added = sorted({*(new.get("finalizers") or ())} - {*(old.get("finalizers") or ())})
    if "deletionTimestamp" in old and added:
        listed = ", ".join(f'"{name}"' for name in added)
        text = "no new finalizers can be added if the object is being deleted, found new finalizers []string"
        errors.append(forbidden(f"{field}.finalizers", f"{text}{{{listed}}}"))
    return errors


def validate_labels(labels: Mapping[str, Any] | None, field: str) -> list[FieldError]:
    """Return what is wrong with a map of labels."""
    errors = []
    for key, value in (labels or {}).items():
        errors += [invalid(field, key, problem) for problem in qualified_name(key)]
        errors += [invalid(field, value, problem) for problem in label_value(value)]
    return errors


def validate_annotations(annotations: Mapping[str, str] | None, field: str) -> list[FieldError]:
    """Return what is wrong with a map of annotations: keys as labels', values anything, 256 KiB in all."""
    errors = []
    for key in annotations or {}:
        errors += [invalid(field, key, problem) for problem in qualified_name(key.lower())]
    size = sum(len(key.encode()) + len(value.encode()) for key, value in (annotations or {}).items())
    if size > _ANNOTATIONS_BYTES:
        errors.append(too_long(field, _ANNOTATIONS_BYTES))
    return errors


def is_ip(text: str) -> bool:
    """Tell whether it is an address, IPv4 or IPv6; who it is not is told `NOT_AN_IP`."""
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def port_name(name: str) -> list[str]:
    """Return what keeps a value from being an IANA service name (RFC 6335)."""
    problems = []
    if len(name) > 15:
        problems.append("must be no more than 15 characters")
    if not re.fullmatch(r"[-a-z0-9]+", name):
        problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search(r"[a-z]", name):
        problems.append("must contain at least one letter (a-z)")
    if "--" in name:
        problems.append("must not contain consecutive hyphens")
    if name.startswith("-") or name.endswith("-"):
        problems.append("must not begin or end with a hyphen")
    return problems
