"""The gate: what differs from a reference without anyone having declared, expected or accepted it; pure."""
