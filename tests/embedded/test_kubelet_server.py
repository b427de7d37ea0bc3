"""What a query of a log means."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from kubetour.embedded.containerlog import LogOptions
from kubetour.embedded.kubelet_server import log_options

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ({}, LogOptions()),
        ({"follow": "true", "timestamps": "1"}, LogOptions(follow=True, timestamps=True)),
        ({"follow": "True"}, LogOptions(follow=True)),  # as Python's asyncio client writes it
        ({"follow": "False", "timestamps": "0"}, LogOptions()),
        ({"tailLines": "3", "limitBytes": "9"}, LogOptions(tail_lines=3, limit_bytes=9)),
        ({"sinceSeconds": "5"}, LogOptions(since="2026-01-02T03:04:00.000000Z")),
    ],
)
def test_a_query_is_read_as_kubernetes_reads_it(query: dict[str, str], options: LogOptions) -> None:
    assert log_options(query, NOW) == options
