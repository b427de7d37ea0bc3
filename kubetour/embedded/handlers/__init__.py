"""The API server's verbs over HTTP: each module takes one kind of request and leaves the rules to the registry."""
