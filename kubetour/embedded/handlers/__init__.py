"""The API server's verbs over HTTP: a module per kind of request; the rules are the registry's."""
