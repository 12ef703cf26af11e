"""Tells people: who is told what, and how it gets there; `interface.py` is the contract, one file for each way."""
