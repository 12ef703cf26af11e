"""The code of applications: what is checked out or lies in a directory."""
