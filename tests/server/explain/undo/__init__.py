"""Tests of how each kind of cause is undone."""
