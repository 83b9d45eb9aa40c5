"""bgpreflector reflects the routes that BIRD puts into a Linux kernel into FD.io VPP."""
