"""Routes as Python sees them, and the engine that holds them."""
