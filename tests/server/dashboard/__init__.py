"""Tests of the pages, as HTML, without a browser."""
