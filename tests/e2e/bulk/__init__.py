"""Many routes at once: the whole chain from a real kernel to the embedded VPP under load."""
