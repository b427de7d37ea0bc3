"""From flags to a provider: everything that has to be known before a plan can be made."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubetour import buildcontext, choosing, dockerconfig, manifests
from kubetour.buildcontext import BuildContext, User
from kubetour.course import Course, course
from kubetour.errors import RefusedError, UsageError
from kubetour.host import HERE, Host
from kubetour.plan import clean_up, plan, singles, whole
from kubetour.ports import first_port
from kubetour.project import OWNER, ROOT, TEMPLATES, caller
from kubetour.providers import PROVIDERS, Ports, Provider, Tools
from kubetour.reference import in_registry
from kubetour.settings import Resolved, Settings, check, flag, resolve
from kubetour.state import State
from kubetour.steps import Step
from kubetour.tools import Say

if TYPE_CHECKING:
    from invoke.context import Context

PROBE = "/healthz"  # the path that our own app answers probes on


@dataclass(frozen=True)
class Session:
    """One command's settings, provider and build context. Nothing has been changed yet."""

    resolved: Resolved
    provider: Provider
    context: BuildContext
    state: State
    host: Host = HERE
    say: Say = lambda text: None

    @cached_property
    def course(self) -> Course:
        """Return the lessons of the tour; UsageError for a teacher's directory that is not as it must be."""
        return course(self.settings.lessons)

    @property
    def settings(self) -> Settings:
        """Return the settings with the image's full reference."""
        return self.provider.settings

    def plan(self, first_replicas: int = 1) -> tuple[Step, ...]:
        """Return the tour's steps, deploying that many replicas at first."""
        provider = replace(self.provider, templates=self.render(first_replicas))
        return plan(provider, self.context, first_replicas)

    def whole(self) -> tuple[Step, ...]:
        """Return the tour's steps, and the experiments that are no part of it in their places."""
        provider = replace(self.provider, templates=self.render(1))
        return whole(provider, self.context)

    def render(self, replicas: int) -> dict[str, str]:
        """Return the manifests by name."""
        return render(self.provider, self.context, replicas)

    def every_step(self) -> tuple[Step, ...]:
        """Return the steps that a task may pick from: the tour's, with all replicas at once, and others."""
        return (*self.plan(self.settings.replicas), *singles(self.provider))

    def clean_up(self, images: tuple[str, ...] | None = None) -> tuple[Step, ...]:
        """Return the steps that remove everything: by default, of the images, this session's."""
        return clean_up(self.provider, (self.settings.image,) if images is None else images)

    def prepare(self, c: Context) -> Context:
        """Bring to the host what commands need there, and return the context that runs them."""
        self.host.prepare(self.provider, self.context, self.settings.offline, self.say)
        return self.host.context(c)

    def remember(self) -> None:
        """Keep what the next command in this checkout starts from."""
        kept = {**self.resolved.to_remember(), "provider": self.provider.name}
        if not self.provider.owns_cluster:
            del kept["provider"]  # a cluster that is not ours has to be named each time
        if self.provider.name != "embedded":
            kept["engine"] = self.provider.tools.engine  # what another one has, this one does not see
        self.state.remember(kept)
        ports = self.provider.ports
        self.state.keep_ports({"container": ports.container, "host": ports.host})


def settle(c: Context, flags: Mapping[str, Any], state: State) -> Resolved:
    """Return the settings of a command, paths made relative to the project; UsageError for a bad one."""
    configured = c.config.get("kubetour", {}) or {}
    if not isinstance(configured, Mapping):
        raise UsageError("config-section", value=str(configured)[:80])
    resolved = resolve(flags, os.environ, dict(configured), state.remembered(), state.packed())
    here = caller()
    if kubeconfig := os.environ.get("KUBECONFIG"):  # a list of paths, which must hold from the root, too
        where = (str(here / path) for path in kubeconfig.split(os.pathsep) if path)
        os.environ["KUBECONFIG"] = os.pathsep.join(where)
    paths: dict[str, Any] = {
        name: _from_root(here, getattr(resolved.settings, name))
        for name in ("app_dir", "config", "pull_secret", "lessons")
        if resolved.origins[name] in ("flag", "environment")
    }
    return Resolved(replace(resolved.settings, **paths), resolved.origins)


def open_session(c: Context, resolved: Resolved, state: State, say: Say, host: Host = HERE) -> Session:
    """Return a session: finds the tools, chooses the provider and says which and why.

    Downloads a tool only where it is missing, and says so first. Raises KubetourError for whatever stands
    in the way.
    """
    settings = wanted(resolved)
    name, found, reason = choosing.choose(host.context(c), settings, say, host)
    if resolved.origins["provider"] != "flag":
        say(reason)
    return replace(assemble(resolved, state, name, found, host), say=say)


def wanted(resolved: Resolved) -> Settings:
    """Return the settings with the provider that a context stands for; RefusedError if it is not named."""
    settings = resolved.settings
    if settings.context and settings.provider == "auto":
        settings = replace(settings, provider="context")
    if settings.provider == "context" and resolved.origins["context"] != "flag":
        raise RefusedError("context-unnamed")  # before anything is asked: it holds on any machine
    return settings


def assemble(resolved: Resolved, state: State, name: str, found: Tools, host: Host = HERE) -> Session:
    """Return the session of a provider with its tools; KubetourError if a file or port stands in the way."""
    settings = wanted(resolved)
    config = manifests.load_kind_config(ROOT / settings.config, settings.config)
    context = host.placed(buildcontext.read(ROOT / settings.app_dir, settings.app_dir, settings.base))
    settings = replace(settings, image=_image(settings, name, context, found.dialect.local))
    if settings.pull_secret and not PROVIDERS[name].owns_cluster:
        settings = replace(settings, pull_secret=host.brought(settings.pull_secret))
    bare = PROVIDERS[name](settings, found, Ports(), config, {})
    mark = "" if settings.is_our_app else f"{OWNER}.{int(time.time()):x}"
    provider = replace(bare, ports=_ports(bare, state, host), mark=mark)
    provider = replace(provider, templates=render(provider, context, 1))
    return Session(resolved, provider, context, state, host)


def render(provider: Provider, context: BuildContext, replicas: int) -> dict[str, str]:
    """Return the manifests by name, the Deployment with all its replicas as `scaled`.

    UsageError, with file and line, if a template is broken.
    """
    settings, runs_as = provider.settings, buildcontext.user(context.user)
    values = {
        "name": settings.name,
        "image": settings.image,
        "port": settings.port,
        "replicas": replicas,
        "digest": context.digest,
        "namespace": provider.namespace,
        "node_port": provider.node_port,
        "probe": None if provider.mark else PROBE,
        "non_root": runs_as is User.NUMBERED,
        "drop_capabilities": runs_as is not User.ROOT,
        "read_only": not provider.mark,
    }
    names = ("deployment", "service", "namespace")
    rendered = {name: manifests.render(TEMPLATES, f"{name}.yaml.j2", values) for name in names}
    scaled = {**values, "replicas": settings.replicas}
    return {**rendered, "scaled": manifests.render(TEMPLATES, "deployment.yaml.j2", scaled)}


def _image(settings: Settings, provider: str, context: BuildContext, local: str) -> str:
    """Return the image's full reference; UsageError if no cluster could pull it with what was given."""
    image = buildcontext.with_tag(settings.image, context.tag)
    if PROVIDERS[provider].owns_cluster:
        return in_registry(image, local)
    image = str(check("image", in_registry(image, settings.registry), flag("registry")))
    if settings.pull_secret:
        dockerconfig.require(ROOT / settings.pull_secret, settings.pull_secret, image)
    return in_registry(image, local)


def push_step(session: Session) -> tuple[Step, ...]:
    """Return the step that pushes the image, whatever the provider; UsageError where no engine could."""
    if session.provider.name == "embedded":
        raise UsageError("push-embedded")
    return (session.provider.push(),)


def _ports(provider: Provider, state: State, host: Host = HERE) -> Ports:
    """Return ports that are free, or the ones that what is there already was made with."""
    kept, made, settings = state.ports(), state.created(), provider.settings
    ours = f"{provider.engine_name}-container/{provider.container}"
    container = kept.get("container") if ours in made else None
    mapped = kept.get("host") if f"{provider.name}-cluster/{settings.cluster_name}" in made else None
    first, second = max(settings.port, 1024), Ports.host
    if settings.student:  # two who begin at the same moment would find the same ones free
        first = second = first_port(settings.student)
    container = container or host.free_port(first)
    return Ports(container, mapped or host.free_port(second, (container,)), Ports.node)


def _from_root(here: Path, value: str) -> str:
    """Return a path as seen from the project's root, where every command runs."""
    path = Path(os.path.normpath(here / value))
    if path == ROOT:
        return "."
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else os.path.relpath(path, ROOT)
