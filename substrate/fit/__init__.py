"""Fitting noise models to a measured trace."""
