"""The operating system: its files, its packages, its settings, and the machine below."""
