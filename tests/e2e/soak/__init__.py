"""Everything at once, for a long time: `make soak MINUTES=30`; a short form is among all tests."""
