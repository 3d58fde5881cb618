"""Learning rules that see observations of a chip and nothing else of it."""
