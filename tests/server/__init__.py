"""Tests of the server: small files that mirror its package."""
