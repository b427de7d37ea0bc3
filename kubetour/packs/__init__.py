"""A pack: what the tour needs, in one file or directory, for machines without network. Standard library only."""
