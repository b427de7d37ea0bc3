"""Every parameter, defined once: type, default, rule. Help and rule texts are in `kubetour.text`.

Precedence: flag > environment (KUBETOUR_NAME) > invoke.yaml (kubetour: {name: …}) > what the last command in
this checkout used > what came with a pack > what follows from the student > default.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubetour import rules
from kubetour.errors import UsageError
from kubetour.text import LANGUAGES, from_locale

SOURCES = ("flag", "environment", "invoke.yaml", "last command", "pack", "student", "default")
UNCHOSEN = ("pack", "student", "default")  # nobody typed them: they are found out anew each time
PROVIDERS = ("auto", "kind", "minikube", "context", "embedded")
ENGINES = ("auto", "docker", "podman", "nerdctl")  # those of `dialects`, as a test holds
REQUESTS_AUTO = 0


def _setting(default: Any, rule: rules.Rule, *, remember: bool = True) -> Any:
    return dataclasses.field(default=default, metadata={"rule": rule, "remember": remember})


@dataclass(frozen=True)
class Settings:
    """The parameters of one command, checked. An empty text means "decide for me"."""

    image: str = _setting("node-hostname", rules.image())
    registry: str = _setting("", rules.registry())
    pull_secret: str = _setting("", rules.printable(4096), remember=False)
    replicas: int = _setting(3, rules.whole(1, 50))
    app_dir: str = _setting(".", rules.printable(4096))
    base: str = _setting("", rules.image())
    # 46: 63 less what a ReplicaSet (a dash and up to ten) and its Pods (a dash and five) add.
    name: str = _setting("node-hostname", rules.service_label(46))
    port: int = _setting(8080, rules.whole(1, 65535))
    provider: str = _setting("auto", rules.choice(*PROVIDERS))
    cluster_name: str = _setting("kubetour", rules.label(40))
    workers: int | None = _setting(None, rules.whole(0, 9))
    config: str = _setting("kind-config.yaml", rules.printable(4096))
    node_image: str = _setting("", rules.image(digest=True))
    context: str = _setting("", rules.printable(), remember=False)
    namespace: str = _setting("", rules.label())
    host: str = _setting("", rules.host())
    engine: str = _setting("auto", rules.choice(*ENGINES))
    requests: int = _setting(REQUESTS_AUTO, rules.whole(0, 100_000), remember=False)
    timeout: int = _setting(180, rules.whole(1, 86_400), remember=False)
    student: str = _setting("", rules.label(24))  # 24: with "kubetour-" before it, still a cluster's name
    lessons: str = _setting("", rules.printable(4096), remember=False)
    lang: str = _setting("", rules.choice(*LANGUAGES), remember=False)
    offline: bool = _setting(False, rules.switch(), remember=False)

    @property
    def is_our_app(self) -> bool:
        """Return whether the app is the one that comes with the project."""
        return self.app_dir == "."

    @property
    def language(self) -> str:
        """Return the language asked for, else the locale's."""
        return self.lang or from_locale()


FIELDS = {item.name: item for item in dataclasses.fields(Settings)}


@dataclass(frozen=True)
class Resolved:
    """Settings, and for each the source it came from (one of SOURCES)."""

    settings: Settings
    origins: Mapping[str, str]

    def to_remember(self) -> dict[str, Any]:
        """Return what the next command in this checkout shall start from."""
        return {
            name: getattr(self.settings, name)
            for name, origin in self.origins.items()
            if origin not in UNCHOSEN and FIELDS[name].metadata["remember"]
        }


def flag(name: str) -> str:
    """Return a setting's flag: app_dir gives --app-dir."""
    return "--" + name.replace("_", "-")


def variable(name: str) -> str:
    """Return a setting's environment variable: app_dir gives KUBETOUR_APP_DIR."""
    return "KUBETOUR_" + name.upper()


def resolve(
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    config: Mapping[str, Any],
    remembered: Mapping[str, Any],
    packed: Mapping[str, Any] | None = None,
) -> Resolved:
    """Return the settings that hold; UsageError names the parameter, the value and the rule it breaks.

    What was remembered or packed and no longer passes is dropped: nobody typed it now.
    """
    unknown = sorted(set(config) - set(FIELDS))
    if unknown:
        raise UsageError("setting-unknown", name=unknown[0], known=", ".join(FIELDS))
    values: dict[str, Any] = {}
    origins = dict.fromkeys(FIELDS, "default")
    for name in FIELDS:
        given = (
            ("flag", flags.get(name), flag(name)),
            ("environment", environ.get(variable(name)) or None, variable(name)),
            ("invoke.yaml", config.get(name), f"kubetour.{name}"),
            ("last command", remembered.get(name), name),
            ("pack", (packed or {}).get(name), name),
        )
        for origin, value, shown in given:
            if value is None:
                continue
            try:
                values[name] = check(name, value, shown)
            except UsageError:
                if origin in ("last command", "pack"):
                    continue
                raise
            origins[name] = origin
            break
    # What somebody else's commands were about is not what a student who is named now has in mind.
    anew = origins["student"] != "last command" and values.get("student") != remembered.get("student")
    for name, value in of_student(values.get("student", "")).items():
        if origins[name] == "default" or (anew and origins[name] == "last command"):
            values[name], origins[name] = value, "student"
    return Resolved(Settings(**values), origins)


def of_student(student: str) -> dict[str, str]:
    """Return the settings that keep a student apart from the others on one machine, as far as they are names.

    The namespace, the container's name and the ports follow from the student where they are chosen.
    """
    if not student:
        return {}
    return {name: f"{FIELDS[name].default}-{student}" for name in ("cluster_name", "image")}


def check(name: str, value: Any, shown: str) -> Any:
    """Return the value of a setting as its type; UsageError if it breaks the setting's rule."""
    rule: rules.Rule = FIELDS[name].metadata["rule"]
    try:
        return rule.apply(str(value))
    except ValueError:
        raise UsageError("setting-invalid", name=shown, value=str(value), rule=rule.text) from None
