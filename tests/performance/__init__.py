"""Benchmarks beside peers on the same work: `python -m tests.performance`. No test asserts a time."""
