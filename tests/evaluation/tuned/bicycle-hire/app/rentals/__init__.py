"""Bicycles for hire."""
