"""Checks of the collectors, on trees that are built for real and on answers that engines gave."""
