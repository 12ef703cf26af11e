"""Tests of the gate: how each difference stands, and the verdict that follows."""
