"""Counts of the warehouses, and what they are worth."""
