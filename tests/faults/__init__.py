"""Faults, injected for real: one row of the table in docs/reliability.md, one test or more."""
