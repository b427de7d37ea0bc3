"""The same tasks for Fabric's command line: `fab -H user@server tour`."""

from tasks import ns

__all__ = ["ns"]
