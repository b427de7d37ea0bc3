"""What the tests share: golden files, one provider of each kind, a context to run commands in."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings as hypothesis
from invoke.context import Context
from xdist.scheduler import LoadScopeScheduling

from kubetour import engines, ports, tools
from kubetour.buildcontext import BuildContext
from kubetour.providers import Provider
from kubetour.runner import configure
from kubetour.tools import Tool
from tests.making import ABLE, CONTEXT, ENGINE, make_provider

if TYPE_CHECKING:
    from xdist.remote import Producer

# `./inv test` says where its caller stands; what the tests start stands where they say.
os.environ.pop("KUBETOUR_CWD", None)

GOLDENS = Path(__file__).resolve().parent / "goldens"

# No deadline: the machines that run this are shared. In CI the same examples every time: a failure there
# must be one that a second run shows, too.
hypothesis.register_profile("local", max_examples=50, deadline=None)
hypothesis.register_profile("ci", max_examples=50, deadline=None, derandomize=True)
hypothesis.load_profile("ci" if os.environ.get("CI") else "local")


# What takes long, or needs an engine, sshd, a registry: for who asks for it by path or by --long, and for CI.
LONG = ("docker", "e2e", "faults", "fuzz", "remote")
TESTS = Path(__file__).resolve().parent
PACKAGES = ("tests/conformance/",)  # with fixtures of scope "package"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help=f"run those of {', '.join(LONG)}, too, as CI does")
    parser.addoption("--update-goldens", action="store_true", help="rewrite tests/goldens from what is now")
    parser.addoption("--every-fault", action="store_true", help="end a tour in every way at every point")


def long_too(config: pytest.Config) -> bool:
    by_path = config.args_source is not pytest.Config.ArgsSource.TESTPATHS
    return bool(config.getoption("--long") or os.environ.get("CI") or by_path)


def is_long(item: pytest.Item) -> bool:
    return item.path.is_relative_to(TESTS) and item.path.relative_to(TESTS).parts[0] in LONG


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long, and let pytest count it as deselected."""
    if not long_too(config):
        config.hook.pytest_deselected(items=[item for item in items if is_long(item)])
        items[:] = [item for item in items if not is_long(item)]


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return how many run side by side: half of the tests wait. What takes long has ports of its own."""
    return 0 if long_too(config) else 2 * (os.cpu_count() or 1)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Return what gives workers their tests: all of a module, or of a package with fixtures, to one."""
    return BySharedFixtures(config, log)


class BySharedFixtures(LoadScopeScheduling):  # type: ignore[misc]  # which has no types
    """Whatever shares a fixture is run by one worker."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.split("::", maxsplit=1)[0]
        return next((name for name in PACKAGES if module.startswith(name)), module)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say at the top what is left out, and how to have it."""
    if long_too(config):
        return None
    return f"left out: {', '.join(f'tests/{name}' for name in LONG)}; ./inv test --long runs them, too"


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Return a function (file, text) that compares a text with a golden file, or rewrites the file."""

    def compare(file: str, text: str) -> None:
        path = GOLDENS / file
        if request.config.getoption("--update-goldens"):
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"no {path.name} yet: pytest --update-goldens"
        assert text == path.read_text(encoding="utf-8"), (
            f"{path.name} differs; if that is right: --update-goldens"
        )

    return compare


@pytest.fixture(autouse=True)
def signals_reach_the_tests() -> Iterator[None]:
    """Put back what handles signals: after one, a task that ends leaves them ignored."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def claims_end_with_the_test() -> Iterator[None]:
    """Give back the ports that this process has chosen: the tours of other tests choose them, too."""
    yield
    while ports.claims:
        os.close(ports.claims.popitem()[1])


@pytest.fixture
def build_context() -> BuildContext:
    """Return a build context that no file stands behind."""
    return CONTEXT


@pytest.fixture(params=["kind", "minikube", "embedded", "context"])
def provider(request: pytest.FixtureRequest) -> Provider:
    """Return a provider of each kind, with fixed settings, tools and ports; nothing runs."""
    return make_provider(request.param)


@pytest.fixture
def c() -> Context:
    """Return an Invoke context as every task has it: our runner, /bin/sh."""
    context = Context()
    configure(context)
    return context


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Return a machine with kubectl and kind, whose engine a test may choose."""
    monkeypatch.setattr(tools, "kubectl", lambda offline, say: "kubectl")
    monkeypatch.setattr(tools, "kind", lambda offline, say: Tool("kind", "0.32.0"))
    monkeypatch.setattr(engines, "abilities", lambda c, found: ABLE)
    monkeypatch.setattr(engines, "find", lambda c, wanted: ENGINE)
    return monkeypatch
