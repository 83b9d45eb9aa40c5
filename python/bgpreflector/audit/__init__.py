"""What VPP has against what it is to have."""
