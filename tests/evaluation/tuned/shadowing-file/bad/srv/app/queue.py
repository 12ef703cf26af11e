"""Looks how many orders wait."""

import sys

WAITING = sys.argv[1:]
print(len(WAITING), "orders wait")
