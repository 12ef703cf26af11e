"""What a comparison, an explanation or a gate found, in the formats that people and other tools read; pure."""
