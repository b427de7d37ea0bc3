"""The experiments on images and containers, each in its place of the plan: see `claims`."""
