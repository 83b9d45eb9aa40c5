"""The engine against real kernels, in network namespaces."""
