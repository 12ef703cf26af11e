"""Tests of what the server remembers, on both databases."""
