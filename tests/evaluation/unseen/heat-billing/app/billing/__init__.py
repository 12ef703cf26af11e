"""Heat by the meter."""
