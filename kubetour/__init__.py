"""Getting started with Kubernetes as real software: a tour whose every step is shown and proved."""
