"""Python environments: found, identified, read."""
