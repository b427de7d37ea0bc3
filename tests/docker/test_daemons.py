"""The facts of a real Docker Engine, against what its own client prints for people."""

from __future__ import annotations

import pytest
from invoke.context import Context

from kubetour.daemons import daemon
from tests.docker.conftest import docker

pytestmark = pytest.mark.docker


def test_a_real_engines_facts_are_what_it_tells_people(engine: None, c: Context) -> None:
    found = daemon(c, "docker")
    told = docker("info").stdout
    for line in (
        f"Server Version: {found.engine.version}",
        f"Storage Driver: {found.store}",
        f"Cgroup Version: {found.cgroup}",
        f"Cgroup Driver: {found.cgroup_driver}",
        f"CPUs: {found.cpus}",
        f"Docker Root Dir: {found.root}",
    ):
        assert f" {line}\n" in told
    assert found.memory > 0
    assert not found.windows
