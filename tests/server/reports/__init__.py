"""Tests of the formats that people and other tools read."""
