"""The envparity server: compares fingerprints, keeps their history and shows what differs."""
