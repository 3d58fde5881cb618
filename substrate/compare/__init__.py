"""Runs beside each other, after the fact."""
