"""Tests of comparing: pure, without network, database or clock."""
