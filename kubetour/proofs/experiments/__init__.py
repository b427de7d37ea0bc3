"""The verdicts of the experiments."""
