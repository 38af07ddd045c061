"""Kernels that compute a RIM layer faster than plain PyTorch: one for CPUs, one for GPUs."""
