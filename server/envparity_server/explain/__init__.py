"""Says which difference is to blame for a failure, with reasons that a person can check, and how to undo it; pure."""
