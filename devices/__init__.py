"""Crossbars, noise, converters and the chips that are built of them."""
