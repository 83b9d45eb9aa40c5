"""A state machine: whatever happens to the kernel, VPP and the daemon, in the end all agree."""
