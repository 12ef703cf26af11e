"""What the server remembers: the only place with SQL, for SQLite and PostgreSQL alike."""
