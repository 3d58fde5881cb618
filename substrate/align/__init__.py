"""Angles between the updates of perturbation rules and backpropagation's (Fig. 1, 5 and 6)."""
