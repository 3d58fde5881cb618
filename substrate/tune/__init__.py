"""The search for the highest stable learning rate."""
