"""Compares two fingerprints: pure, without network, database or clock."""
