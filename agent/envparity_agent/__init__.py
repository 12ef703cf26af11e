"""The envparity agent: reads what an application really runs on, and never changes it."""

__version__ = "0.2.0"
