"""The tour's chapters: each returns its steps. `plan` puts them in order."""
