"""A pack: what the tour needs, as one file or directory, where there is no network. Standard library only."""
