"""Each release's database with what it answered, and what its agent sent: recorded by running its own code."""
