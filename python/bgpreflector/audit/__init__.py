"""Compare what VPP has with what it should have."""
