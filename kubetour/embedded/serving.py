"""The server process as the operating system sees it: its log, its report to `create cluster`, its end."""

from __future__ import annotations

import asyncio
import logging
import os

from kubetour.embedded.clusterstate import ClusterDirectory
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.process import raise_open_files
from kubetour.embedded.server import serve

_log = logging.getLogger(__name__)


class AbandonedError(Exception):
    """`create cluster` was killed before the cluster was ready: nobody is going to use it."""


class Reporter:
    """Tells `create cluster` of each stage, one line each, through a pipe; without one it only logs."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def __call__(self, line: str) -> None:
        """Report a stage, or what failed; AbandonedError if nobody listens any more."""
        _log.info("%s", line)
        if self._descriptor is None:
            return
        try:
            os.write(self._descriptor, f"{' '.join(line.split())}\n".encode())
        except BrokenPipeError as error:
            raise AbandonedError from error
        if line == "ready":
            self.close()

    def close(self) -> None:
        """Close the pipe."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def main(name: str, descriptor: int | None, lifeline: int | None = None) -> int:
    """Run a cluster's server until it is told to end; 0 if it was, 1 if it failed.

    It is told by a signal, or by the end of `lifeline`, a pipe: then nobody else may be there to remove it.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    raise_open_files()
    report = Reporter(descriptor)
    try:
        asyncio.run(serve(name, report, lifeline=lifeline))
        if lifeline is not None:
            ClusterDirectory(name).remove()
    except AbandonedError:
        _abandoned(name)
        return 1
    except (EmbeddedError, OSError) as error:
        _log.error("%s", error)
        try:
            report(str(error))
        except AbandonedError:
            _abandoned(name)
        return 1
    finally:
        report.close()
    return 0


def _abandoned(name: str) -> None:
    """Leave nothing of a cluster that was never ready: nobody knows of it."""
    directory = ClusterDirectory(name)
    if not directory.is_made():
        _log.warning("create cluster is gone; the cluster is removed")
        directory.remove()
