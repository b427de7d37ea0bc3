"""A host that is reached by SSH: the same commands, run there. Imported only where `--host` asks for it."""
