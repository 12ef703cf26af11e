"""Checks of the agent, one module for each of its own; below `collectors`, one for each collector."""
