"""Tests of the HTTP API, through the application itself."""
