"""The tests of the whole product: the agent, the server, and both together on simulated hosts."""
