"""The kernel as the oracle: random changes in a real namespace, and the table against `ip`."""
