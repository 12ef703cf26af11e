"""Demo data: a small fleet recorded from real hosts, loaded and removed as a whole."""
