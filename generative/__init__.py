"""Fitting, scoring and sampling of generative models."""
