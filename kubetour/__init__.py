"""Getting started with Kubernetes as real software: a tour whose every step is shown and proved."""

__version__ = "0.1.0"
