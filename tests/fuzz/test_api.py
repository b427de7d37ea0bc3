"""The API under fire: no 500, no hang, no crash, no error in the log (longer: python -m tests.fuzz)."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubetour.embedded.clusterconfig import FAKE, PROCESSES
from kubetour.embedded.testing import Server
from tests.fuzz.harness import complaints, fire

EXAMPLES = 1500  # about ten seconds


@pytest.mark.parametrize("runtime", [PROCESSES, FAKE])
def test_it_answers_whatever_comes(runtime: str, tmp_path: Path) -> None:
    server = Server(tmp_path, runtime=runtime)
    try:
        fire(server, 1, EXAMPLES)
        assert not complaints(server)
    finally:
        server.close()
