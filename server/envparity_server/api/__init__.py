"""The HTTP API: thin routes, one resource per file."""
