"""Supervised vision tasks on the shared networks."""
