"""PyTorch modules that agents draw on and that work alone."""
