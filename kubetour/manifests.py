"""Manifests from templates, and the kind config from its file: text in, YAML text out."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from kubetour.errors import UsageError
from kubetour.project import NODE_OWNED_BY, OWNER

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

LARGEST = 1024 * 1024
# The same as SafeLoader, in C: ten times as fast where the package has it.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Manifests:
    """What is applied to the cluster, as the YAML that a person reads."""

    deployment: str
    service: str
    namespace: str


@cache
def _environment(templates: Path) -> SandboxedEnvironment:
    """Return what compiles the templates of a directory: each once, and again when its file has changed."""
    import jinja2
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment(
        loader=jinja2.FileSystemLoader(templates),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        auto_reload=True,
    )


def render(templates: Path, name: str, values: dict[str, Any]) -> str:
    """Return one template with its values; UsageError, with file and line, for whatever is wrong with it.

    Every value goes through `tojson` in the templates, as YAML reads JSON: a name such as `no` stays a
    text, and one with a newline cannot add keys. An unknown variable is an error, never an empty text.
    """
    import jinja2

    try:
        text = _environment(templates).get_template(name).render(values)
    except jinja2.TemplateNotFound as error:
        raise UsageError("template-missing", file=error.name or name, directory=str(templates)) from error
    except jinja2.TemplateSyntaxError as error:
        raise _template_error(name, error.lineno, str(error.message)) from error
    except Exception as error:  # the sandbox, a filter or an undefined variable: all are the template's
        raise _template_error(name, _line(error, name), str(error)) from error
    try:
        loaded = yaml.load(text, LOADER)  # noqa: S506
    except yaml.YAMLError as error:
        raise UsageError("template-not-yaml", file=name, reason=str(error)) from error
    if not isinstance(loaded, dict) or "kind" not in loaded:
        raise UsageError("template-not-yaml", file=name, reason="no `kind`")
    return text


def _template_error(name: str, line: int | None, reason: str) -> UsageError:
    return UsageError("template-broken", file=name, line=line or "?", reason=reason)


def _line(error: BaseException, name: str) -> int | None:
    """Return the template's line in a traceback: Jinja2 rewrites tracebacks to point into the template."""
    line, trace = None, error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename.endswith(name):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def load_kind_config(path: Path, shown: str) -> dict[str, Any]:
    """Return a kind config file; UsageError if it is none. https://kind.sigs.k8s.io/docs/user/configuration/"""
    try:
        if path.exists() and not path.is_file():  # a pipe, say, from which nothing ever comes
            raise UsageError("config-invalid", file=shown, reason="no regular file")
        if path.stat().st_size > LARGEST:
            raise UsageError("config-invalid", file=shown, reason=f"> {LARGEST} bytes")
        config = yaml.load(path.read_text(encoding="utf-8"), LOADER)  # noqa: S506
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError("config-invalid", file=shown, reason=str(error)) from error
    # As kind fills in: without nodes it makes one, and a node without a role is a control plane.
    nodes = (config.get("nodes") or [{}]) if isinstance(config, dict) else None
    if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
        raise UsageError("config-invalid", file=shown, reason="no list of `nodes`")
    nodes = [{"role": "control-plane", **node} for node in nodes]
    if config.get("kind") != "Cluster" or not any(node["role"] == "control-plane" for node in nodes):
        raise UsageError("config-invalid", file=shown, reason="`kind: Cluster`, `role: control-plane`")
    return {**config, "nodes": nodes}


def node_names(config: dict[str, Any], cluster: str) -> tuple[str, ...]:
    """Return the nodes' names as kind gives them: the first of a role has no number."""
    names: list[str] = []
    counts: dict[str, int] = {}
    for node in config["nodes"]:
        role = node.get("role", "control-plane")
        counts[role] = counts.get(role, 0) + 1
        names.append(f"{cluster}-{role}{counts[role] if counts[role] > 1 else ''}")
    return tuple(names)


def kind_config(
    config: dict[str, Any], workers: int | None, host_port: int, node_port: int
) -> dict[str, Any]:
    """Return the config with that many workers (None: as it has), our mark and the host port's mapping."""
    config = copy.deepcopy(config)
    nodes = config["nodes"]
    if workers is not None:
        template = next((node for node in nodes if node.get("role") == "worker"), {"role": "worker"})
        rest = [node for node in nodes if node.get("role") != "worker"]
        nodes = config["nodes"] = rest + [copy.deepcopy(template) for _ in range(workers)]
    for node in nodes:
        node["labels"] = {**(node.get("labels") or {}), NODE_OWNED_BY: OWNER}
    first = next(node for node in nodes if node.get("role") == "control-plane")
    mappings = [m for m in first.get("extraPortMappings") or [] if m.get("containerPort") != node_port]
    mapping = {"containerPort": node_port, "hostPort": host_port, "listenAddress": "127.0.0.1"}
    first["extraPortMappings"] = [*mappings, mapping]
    return config


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as a person would: `|`, then the lines."""


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def to_yaml(document: dict[str, Any]) -> str:
    """Return a document as YAML, keys in their own order."""
    text = _written(document, allow_unicode=True)
    # PyYAML leaves these bare, and whoever reads YAML 1.1 takes them for a line's end.
    return _written(document, allow_unicode=False) if re.search("[\x85\u2028\u2029]", text) else text


def _written(document: dict[str, Any], allow_unicode: bool) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=allow_unicode)
