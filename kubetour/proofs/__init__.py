"""The checks: what each step claims, judged on an Observation. Pure functions as frozen values."""
