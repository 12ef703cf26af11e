"""Tests of the verbs of the server side, in processes of their own."""
