"""Failures with a known cause, and how well `explain` finds it: `python -m tests.evaluation`."""
