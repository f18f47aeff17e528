"""Slow, readable twins of the compiled kernels: the oracles of their tests."""
