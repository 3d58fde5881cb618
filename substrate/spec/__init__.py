"""How good a device must be: the limit of its fields up to which it stays feasible."""
