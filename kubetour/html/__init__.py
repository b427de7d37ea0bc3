"""report.html: a run as one page that needs nothing else. Pure functions, from a record to text."""
