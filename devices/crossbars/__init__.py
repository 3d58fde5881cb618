"""Crossbar matrices: one file a kind, all with the interface of `devices.crossbars.base`."""
