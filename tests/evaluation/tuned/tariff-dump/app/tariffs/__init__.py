"""Tariffs of the grid: read from the planners' table, dumped as SQL for the billing hosts."""
