"""The formats of a git repository, read without git: nothing that a repository configures can run."""
