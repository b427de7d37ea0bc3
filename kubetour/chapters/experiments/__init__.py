"""The experiments that try the claims, each in its place of the plan: see `claims`."""
