"""A simulated fleet of 1,000 hosts with 30 days of history, and what asking about it costs on either database."""
