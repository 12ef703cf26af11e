"""Writes what rebuilds a target from its fingerprint: a Dockerfile and a lock, and a list of what they lack; pure."""
