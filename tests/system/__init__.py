"""Simulated hosts made of real components: Debian roots, Docker engines, a registry, PostgreSQL, a browser."""
