"""Simulated fleets with one item to blame, and how often it is found: `python -m tests.evaluation.fleets`."""
