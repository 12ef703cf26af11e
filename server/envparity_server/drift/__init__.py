"""What a difference means: its severity, what most hosts agree on, and the verdict of a gate; pure."""
