"""zebra as the source of routes."""
